import { randomBytes } from 'node:crypto';
import { CODEC_NONE, PACK_TRAILER_BYTES, type PackIndex, packTailBytes, parsePackTail } from '../model/pack.js';
import {
  AUTO,
  auditedCodes,
  blobPacks,
  expectWhole,
  NONE,
  openEncoded,
  packedBytes,
  pushEncoded,
  table,
} from '../testing/encoded-remote.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { type Files, randomFiles, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import { measureRemote } from './measure.js';

const newStore = useStores();

const indexOf = (pack: Buffer): PackIndex =>
  parsePackTail(pack.subarray(-packTailBytes(pack.subarray(-PACK_TRAILER_BYTES), pack.length, 't')), pack.length, 't');
const codecsOf = (storage: MemoryStorage): number[] =>
  blobPacks(storage).flatMap((pack) => {
    const index = indexOf(pack);
    return Array.from({ length: index.count }, (_, row) => index.entry(row).codec);
  });

/** Much that gets smaller, and everything beside it that does not. */
const mixed: Files = {
  empty: Buffer.alloc(0),
  tables: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`t${i}.csv`, table(600, i * 1000)])),
  noise: randomFiles(60, 9000),
  tiny: randomFiles(30, 40),
  'large.csv': table(200_000).subarray(0, 4_000_000),
};

describe('compression', () => {
  test('what gets smaller is stored smaller, and comes back as it was', async () => {
    const store = newStore();
    const root = await storeFiles(store, mixed);
    const [auto, none] = [memoryStorage(), memoryStorage()];
    const counts = await pushEncoded(store, auto, root);
    expect(await pushEncoded(store, none, root, NONE)).toEqual(counts);
    expect(new Set(codecsOf(none))).toEqual(new Set([CODEC_NONE]));
    expect(codecsOf(auto).filter((codec) => codec !== CODEC_NONE)).toHaveLength(201);
    expect(packedBytes(auto)).toBeLessThan(packedBytes(none) * 0.5);
    for (const storage of [auto, none]) {
      await expectWhole(storage, root, mixed);
      expect(await auditedCodes(storage, root)).toEqual([]);
    }
    // What a remote keeps is counted before compression.
    const [measuredAuto, measuredNone] = await Promise.all(
      [auto, none].map((storage) => measureRemote(openEncoded(storage), newStore().reader, undefined)),
    );
    expect(measuredAuto).toMatchObject({ referencedBytes: measuredNone?.referencedBytes, blobs: measuredNone?.blobs });
    expect(measuredAuto?.bytes).toBeLessThan(measuredNone?.bytes ?? 0);
  });

  test('what does not get smaller has the very bytes that it has without compression', async () => {
    const files = { noise: randomFiles(40, 20_000), tiny: randomFiles(30, 40) };
    const store = newStore();
    const root = await storeFiles(store, files);
    const [auto, none] = [memoryStorage(), memoryStorage()];
    await pushEncoded(store, auto, root);
    await pushEncoded(store, none, root, NONE);
    expect(packedBytes(auto)).toBe(packedBytes(none));
    expect(new Set(codecsOf(auto))).toEqual(new Set([CODEC_NONE]));
  });

  test('another clone finds out what the remote has, compressed or not, and the next push sends what is new', async () => {
    for (const encoding of [AUTO, NONE]) {
      const storage = memoryStorage();
      const elsewhere = newStore();
      const root = await storeFiles(elsewhere, mixed);
      await pushEncoded(elsewhere, storage, root, encoding);
      const store = newStore();
      const next: Files = { ...mixed, tables: { 'new.csv': table(500, 7), ...(mixed.tables as Files) } };
      const nextRoot = await storeFiles(store, next);
      const { bytes } = await pushEncoded(store, storage, nextRoot, AUTO, [root]);
      expect(bytes.sent).toBe(table(500, 7).length);
      await expectWhole(storage, nextRoot, next);
      expect(await auditedCodes(storage, nextRoot)).toEqual([]);
    }
  });

  test('one of many is fetched by its range', async () => {
    const store = newStore();
    const storage = memoryStorage();
    const root = await storeFiles(store, mixed);
    await pushEncoded(store, storage, root);
    const clone = newStore();
    const filter = (path: string): boolean => path === 'tables/t77.csv';
    const { bytes } = await fetchRoots({ remote: openEncoded(storage), store: clone, wants: [{ root, filter }] });
    expect(bytes.received).toBe(table(600, 77_000).length);
  });

  test('a damaged object is noticed, by a fetch and by a deep audit', async () => {
    const files = { 'a.csv': table(2000), 'b.bin': randomBytes(5000) };
    const store = newStore();
    const root = await storeFiles(store, files);
    const storage = memoryStorage();
    await pushEncoded(store, storage, root);
    const [key, pack] = [...storage.objects].find(([name, bytes]) => name.includes('/packs/') && bytes[5] === 0) ?? [];
    if (key === undefined || pack === undefined) throw new Error('no pack');
    for (let row = 0, index = indexOf(pack); row < index.count; row++) {
      const { offset, stored } = index.entry(row);
      for (const at of [offset + 44, offset + 44 + Math.floor(stored / 2), offset + 44 + stored - 1]) {
        const hurt = Buffer.from(pack);
        hurt[at] = (hurt[at] ?? 0) ^ 0x55;
        storage.objects.set(key, hurt);
        const wants = [{ root }];
        await expect(fetchRoots({ remote: openEncoded(storage), store: newStore(), wants })).rejects.toMatchObject({
          code: 'ERR_OBJECT_DAMAGED',
        });
        expect(await auditedCodes(storage, root)).toContain('ERR_OBJECT_DAMAGED');
      }
    }
  });
});
