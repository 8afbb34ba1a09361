import { createCipheriv, createHash } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { SluiceError } from '../errors.js';
import { rawOf } from '../model/digest.js';
import { encodeMap } from '../model/encode-map.js';
import { decodeMap } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import {
  AUTO,
  auditedCodes,
  blobPacks,
  CHUNKING,
  expectWhole,
  fetched,
  NONE,
  openEncoded,
  packedBytes,
  pushEncoded,
  table,
} from '../testing/encoded-remote.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { type Files, randomFiles, storeFile, storeFiles, useStores } from '../testing/store-files.js';
import { Auditor } from './audit.js';
import { fetchRoots } from './fetch.js';
import { mapKey } from './keys.js';
import { pushRoots } from './push.js';
import { counting } from './storage/counting.js';
import type { Storage } from './storage/port.js';

const newStore = useStores();

describe('chunks', () => {
  const MIB = 1024 * 1024;

  /** The same bytes for the same seed. */
  const noise = (seed: string, length: number): Buffer =>
    createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16)).update(
      Buffer.alloc(length),
    );
  const inserted = (bytes: Buffer, at: number, what: string): Buffer =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(what), bytes.subarray(at)]);
  const expectFile = async (storage: Storage, root: OutRoot, content: Buffer): Promise<void> => {
    const isSame = (store: Store): boolean => store.reader.read('blob', rawOf(root.digest)).equals(content);
    expect(await fetched(storage, root, isSame)).toBe(true);
  };

  test('one byte more in a file of 64 MiB sends less than 2 % of it, from here and from another clone', async () => {
    const first = noise('big', 64 * MIB);
    const storage = memoryStorage();
    const store = newStore();
    const firstRoot = await storeFile(store, first);
    expect((await pushEncoded(store, storage, firstRoot, CHUNKING)).bytes).toEqual({ sent: first.length, reused: 0 });
    for (const [at, from] of [
      [40 * MIB + 12_345, newStore()],
      [3_000_000, store],
    ] as const) {
      const next = inserted(first, at, 'x');
      const root = await storeFile(from, next);
      const counted = counting(storage);
      let sent = 0;
      const port: Storage = {
        ...counted,
        put: (key, body, options) => {
          sent += body.bytes;
          return counted.put(key, body, options);
        },
      };
      const { bytes, files, objects } = await pushEncoded(from, port, root, CHUNKING, [firstRoot]);
      expect(sent).toBeLessThan(next.length * 0.02);
      expect(bytes.sent).toBeLessThanOrEqual(sent);
      expect(bytes.sent + bytes.reused).toBe(next.length);
      expect([files, objects]).toEqual([
        { sent: 1, reused: 0 },
        { sent: 1, reused: 0 },
      ]);
      expect(counted.requests.list).toBe(0);
      await expectFile(storage, root, next);
      expect(await auditedCodes(storage, root)).toEqual([]);
      expect((await pushEncoded(from, storage, root, CHUNKING)).bytes).toEqual({ sent: 0, reused: next.length });
    }
    await expectFile(storage, firstRoot, first);
  });

  test('a dry run counts the same', async () => {
    const first = noise('dry', 20 * MIB);
    const storage = memoryStorage();
    const store = newStore();
    const firstRoot = await storeFiles(store, { 'a.bin': first, 'same.bin': first });
    await pushEncoded(store, storage, firstRoot, CHUNKING);
    const nextRoot = await storeFiles(store, { 'a.bin': inserted(first, 7 * MIB, 'y'), 'same.bin': first });
    const remote = openEncoded(storage, CHUNKING);
    const roots = [{ root: nextRoot, previous: [firstRoot] }];
    // That other roots may be known lets the push estimate first what it would send.
    const known = [await storeFiles(store, { other: noise('other', 100) })];
    const dry = await pushRoots({ remote, store, roots, known, dryRun: true });
    expect(dry.bytes.sent).toBeGreaterThan(0);
    expect(await pushRoots({ remote, store, roots, known })).toEqual(dry);
  });

  test('files in chunks, large files with keys of their own and small ones lie side by side', async () => {
    const files: Files = {
      'cut.bin': noise('cut', 17 * MIB),
      'whole.bin': noise('whole', 9 * MIB),
      'table.csv': table(500_000).subarray(0, 9 * MIB),
      'zeros.bin': Buffer.alloc(17 * MIB),
      twin: { 'cut.bin': noise('cut', 17 * MIB) },
      small: randomFiles(20, 9000),
    };
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await pushEncoded(store, storage, root, CHUNKING);
    expect([...storage.objects.keys()].filter((key) => key.includes('/blobs/'))).toHaveLength(1);
    await expectWhole(storage, root, files);
    expect(await auditedCodes(storage, root)).toEqual([]);
  });

  test('a large file that compresses is sent in chunks, and any other under its own key', async () => {
    const rows = table(900_000).subarray(0, 12 * MIB);
    const random = noise('random', 12 * MIB);
    for (const [content, encoding, keys] of [
      [rows, AUTO, 0],
      [rows, NONE, 1],
      [random, AUTO, 1],
    ] as const) {
      const storage = memoryStorage();
      const store = newStore();
      const root = await storeFile(store, content);
      const { bytes } = await pushEncoded(store, storage, root, encoding);
      expect(bytes.sent).toBe(content.length);
      expect([...storage.objects.keys()].filter((key) => key.includes('/blobs/'))).toHaveLength(keys);
      await expectFile(storage, root, content);
      expect(await auditedCodes(storage, root)).toEqual([]);
      if (keys === 0) expect(packedBytes(storage)).toBeLessThan(content.length * 0.5);
    }
  });

  test('a file that lies there under its own key stays there', async () => {
    const content = noise('stays', 18 * MIB);
    const storage = memoryStorage();
    const store = newStore();
    await pushEncoded(store, storage, await storeFile(store, content), NONE);
    const other = newStore();
    const root = await storeFiles(other, { a: content });
    expect((await pushEncoded(other, storage, root, CHUNKING)).bytes).toEqual({ sent: 0, reused: content.length });
    expect(blobPacks(storage)).toHaveLength(0);
  });

  test('a push that is stopped does not send again what has arrived', async () => {
    const content = noise('stopped', 80 * MIB);
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFile(store, content);
    let puts = 0;
    const failing: Storage = {
      ...storage,
      put: async (key, body, options) => {
        if (key.includes('/packs/') && ++puts > 3) throw new SluiceError('ERR_REMOTE_DOWN', 'gone');
        return storage.put(key, body, options);
      },
    };
    await expect(pushEncoded(store, failing, root, CHUNKING)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
    expect([...storage.objects.keys()].filter((key) => key.includes('/maps/'))).toHaveLength(0);
    const { bytes } = await pushEncoded(store, storage, root, CHUNKING);
    expect(bytes.sent).toBeLessThan(40 * MIB);
    await expectFile(storage, root, content);
  });

  test.each<[string, string, (bytes: Buffer) => Buffer | undefined]>([
    ['lost', 'ERR_OBJECT_MISSING', () => undefined],
    ['cut off', 'ERR_OBJECT_DAMAGED', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['damaged', 'ERR_OBJECT_DAMAGED', (bytes) => bytes.fill(0xa5, 9_000_000, 9_000_002)],
  ])('a pack that is %s is noticed, and sent again by a push that does not believe', async (_, code, hurt) => {
    const content = noise('hurt', 17 * MIB);
    const store = newStore();
    const storage = memoryStorage();
    const root = await storeFile(store, content);
    await pushEncoded(store, storage, root, CHUNKING);
    const [key, pack] = [...storage.objects].find(([name]) => name.includes('/packs/')) ?? [];
    if (key === undefined || pack === undefined) throw new Error('no pack');
    const bytes = hurt(Buffer.from(pack));
    if (bytes === undefined) storage.objects.delete(key);
    else storage.objects.set(key, bytes);
    const wants = [{ root }];
    await expect(fetchRoots({ remote: openEncoded(storage), store: newStore(), wants })).rejects.toMatchObject({
      code,
    });
    const remote = openEncoded(storage, CHUNKING);
    const auditor = new Auditor({ remote, reader: store.reader, deep: true });
    expect(await auditor.problemsOf('shared', root.digest)).not.toEqual([]);
    await pushRoots({ remote, store, roots: [{ root }], verify: true, auditor });
    await expectFile(storage, root, content);
    expect(await auditedCodes(storage, root)).toEqual([]);
  });

  test('a map whose chunks are those of another file is found out', async () => {
    const content = noise('one', 17 * MIB);
    const other = noise('two', 17 * MIB);
    const store = newStore();
    const storage = memoryStorage();
    const root = await storeFile(store, content);
    const otherRoot = await storeFile(store, other);
    await pushEncoded(store, storage, root, CHUNKING);
    await pushEncoded(store, storage, otherRoot, CHUNKING);
    // All checksums of the map are right: only its chunks are not those of its root.
    const key = mapKey('shared', root.digest);
    const map = decodeMap(storage.objects.get(mapKey('shared', otherRoot.digest)) ?? Buffer.alloc(0), 'test');
    const { front, locations, slices, chunks } = map;
    const nodes = Buffer.alloc(0);
    const lie = { ...front.header, root: rawOf(root.digest), packs: front.packs, maps: front.maps };
    storage.objects.set(key, encodeMap({ ...lie, nodes, locations, slices, chunks, bases: front.bases }));
    const wants = [{ root }];
    await expect(fetchRoots({ remote: openEncoded(storage), store: newStore(), wants })).rejects.toMatchObject({
      code: 'ERR_OBJECT_DAMAGED',
    });
    const auditor = new Auditor({ remote: openEncoded(storage), reader: newStore().reader, deep: true });
    expect((await auditor.problemsOf('shared', root.digest))?.map(({ error }) => error.code)).toEqual([
      'ERR_OBJECT_DAMAGED',
    ]);
  });

  test('a blob that is damaged in the store is not sent', async () => {
    const content = noise('local', 17 * MIB);
    const store = newStore();
    const storage = memoryStorage();
    const root = await storeFile(store, content);
    const path = store.reader.linkable(rawOf(root.digest))?.path ?? '';
    chmodSync(path, 0o644);
    writeFileSync(
      path,
      Buffer.concat([content.subarray(0, 5 * MIB), Buffer.from('oh'), content.subarray(5 * MIB + 2)]),
    );
    await expect(pushEncoded(store, storage, root, CHUNKING)).rejects.toMatchObject({ code: 'ERR_OBJECT_DAMAGED' });
    expect([...storage.objects.keys()].filter((key) => key.includes('/maps/'))).toHaveLength(0);
  });
});
