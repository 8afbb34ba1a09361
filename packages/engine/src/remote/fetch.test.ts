import { randomBytes } from 'node:crypto';
import { hexOf, rawDigestOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import { faulty, flipped } from '../testing/faulty-storage.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { type Files, flat, randomFiles, readFiles, storeFile, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import type { FetchRootsOptions } from './fetch-plan.js';
import { pushRoots } from './push.js';
import { openRemote, type Remote } from './remote.js';
import { counting } from './storage/counting.js';
import type { Storage, StorageKey } from './storage/port.js';

const newStore = useStores();

const open = (storage: Storage): Remote => openRemote({ storage, area: 'shared' });
const fetch = (
  store: Store,
  storage: Storage,
  root: OutRoot,
  more: Partial<FetchRootsOptions> = {},
): ReturnType<typeof fetchRoots> => fetchRoots({ remote: open(storage), store, wants: [{ root }], ...more });

const files: Files = {
  'a.txt': Buffer.from('a'),
  empty: Buffer.alloc(0),
  folder: { ...randomFiles(100, 50), deeper: randomFiles(20, 1000) },
  middle: randomBytes(100_000),
};
const bytes = [...flat(files).values()].reduce((sum, text) => sum + text.length, 0);

/** Puts a file that gets a key of its own beside the others. */
const withLarge = async (): Promise<Files> => {
  const all = { ...files, large: randomBytes(8 * 1024 * 1024 + 5) };
  root = await storeFiles(origin, all);
  await pushRoots({ remote: open(storage), store: origin, roots: [{ root }] });
  return all;
};

let storage: MemoryStorage;
let origin: Store;
let root: OutRoot;
beforeEach(async () => {
  storage = memoryStorage();
  origin = newStore();
  root = await storeFiles(origin, files);
  await pushRoots({ remote: open(storage), store: origin, roots: [{ root }] });
});

const keysOf = (part: string): StorageKey[] => [...storage.objects.keys()].filter((key) => key.includes(part));
const bytesAt = (key: StorageKey): Buffer => storage.objects.get(key) ?? Buffer.alloc(0);
/** The larger of the two packs holds the blobs. */
const packOf = (kind: 'blobs' | 'trees'): StorageKey => {
  const [first, second] = keysOf('/packs/').sort((a, b) => bytesAt(b).length - bytesAt(a).length);
  const key = kind === 'blobs' ? first : second;
  if (key === undefined) throw new Error('there are no two packs');
  return key;
};

describe('counts', () => {
  test('everything comes once, then nothing', async () => {
    const store = newStore();
    expect(await fetch(store, storage, root)).toEqual({
      files: { received: 123, reused: 0 },
      objects: { received: 123 + 3, reused: 0 },
      bytes: { received: bytes, reused: 0 },
      left: { files: 0, bytes: 0 },
    });
    expect(readFiles(store, root)).toEqual(flat(files));
    expect(await fetch(store, storage, root)).toMatchObject({
      files: { received: 0, reused: 123 },
      objects: { received: 0, reused: 123 + 3 },
      bytes: { received: 0, reused: bytes },
    });
  });

  test('only what differs comes', async () => {
    const store = newStore();
    await fetch(store, storage, root);
    const changed = { ...files, 'b.txt': randomBytes(10) };
    const after = await storeFiles(origin, changed);
    await pushRoots({ remote: open(storage), store: origin, roots: [{ root: after }] });
    expect(await fetch(store, storage, after)).toMatchObject({
      files: { received: 1, reused: 123 },
      objects: { received: 2 },
      bytes: { received: 10 },
    });
    expect(readFiles(store, after)).toEqual(flat(changed));
  });

  test('a file counts as received when its blob came, twins too; the blob comes once', async () => {
    const twin = randomBytes(500);
    const twins = await storeFiles(origin, { a: twin, b: twin, c: { d: twin } });
    await pushRoots({ remote: open(storage), store: origin, roots: [{ root: twins }] });
    expect(await fetch(newStore(), storage, twins)).toMatchObject({
      files: { received: 3, reused: 0 },
      objects: { received: 3, reused: 0 },
      bytes: { received: 500, reused: 0 },
    });
  });

  test('progress ends at exactly its totals', async () => {
    const seen = { files: 0, bytes: 0, totalFiles: 0, totalBytes: 0 };
    await fetch(newStore(), storage, root, {
      beginProgress: (totalFiles, totalBytes) => {
        Object.assign(seen, { totalFiles, totalBytes });
        return (moreFiles, moreBytes) => {
          seen.files += moreFiles;
          seen.bytes += moreBytes;
        };
      },
    });
    expect(seen).toEqual({ files: 123, bytes, totalFiles: 123, totalBytes: bytes });
  });
});

describe('parts', () => {
  test('only the files that a filter wants', async () => {
    const store = newStore();
    const result = await fetchRoots({
      remote: open(storage),
      store,
      wants: [{ root, filter: (path) => path.startsWith('folder/deeper/') }],
    });
    expect(result).toMatchObject({ files: { received: 20, reused: 0 }, bytes: { received: 20_000 } });
    const content = flat(files).get('folder/deeper/f7') ?? '';
    expect(store.reader.read('blob', rawDigestOf(Buffer.from(content, 'latin1'))).toString('latin1')).toBe(content);
  });

  test('only trees', async () => {
    const store = newStore();
    expect(await fetch(store, storage, root, { treesOnly: true })).toMatchObject({
      files: { received: 0 },
      objects: { received: 3 },
      bytes: { received: 0 },
    });
    expect(() => readFiles(store, root)).toThrow('not in the store');
  });

  test('no more than so many bytes, in the order of paths, and what is left is told', async () => {
    const store = newStore();
    const some = { a: randomBytes(3000), b: randomBytes(3000), c: randomBytes(3000), d: randomBytes(1) };
    const someRoot = await storeFiles(origin, some);
    await pushRoots({ remote: open(storage), store: origin, roots: [{ root: someRoot }] });
    expect(await fetch(store, storage, someRoot, { maxBytes: 8999 })).toMatchObject({
      files: { received: 2, reused: 0 },
      bytes: { received: 6000 },
      left: { files: 2, bytes: 3001 },
    });
    expect(await fetch(store, storage, someRoot)).toMatchObject({ files: { received: 2, reused: 2 } });
  });

  test('one file of a large flat directory brings no other file', async () => {
    const flatFiles = randomFiles(10_294, 300, 'sample-');
    const flatRoot = await storeFiles(origin, flatFiles);
    await pushRoots({ remote: open(storage), store: origin, roots: [{ root: flatRoot }] });
    let read = 0;
    const measured: Storage = {
      ...storage,
      get: async (...call) => {
        const got = await storage.get(...call);
        read += got?.length ?? 0;
        return got;
      },
    };
    const counted = counting(measured);
    const store = newStore();
    const result = await fetchRoots({
      remote: open(counted),
      store,
      wants: [{ root: flatRoot, filter: (path) => path === 'sample-7777' }],
    });
    expect(result.files.received).toBe(1);
    // The nodes of the directory, but neither its other files nor where they lie.
    expect(counted.requests.get).toBeLessThanOrEqual(12);
    expect(read).toBeLessThan(650_000);
  });

  test('a root that is one file', async () => {
    for (const size of [0, 10, 100_000, 8 * 1024 * 1024]) {
      const content = randomBytes(size);
      const file = await storeFile(origin, content);
      await pushRoots({ remote: open(storage), store: origin, roots: [{ root: file }] });
      const store = newStore();
      expect(await fetch(store, storage, file)).toMatchObject({ files: { received: 1 }, bytes: { received: size } });
      expect(store.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
    }
  });
});

describe('a remote that lies', () => {
  const expectCode = async (store: Store, code: string): Promise<void> => {
    await expect(fetch(store, storage, root)).rejects.toMatchObject({ code });
  };

  /** Nothing that the store has is wrong; and when the remote is sound again, the rest comes. */
  const expectSound = async (store: Store, all = files): Promise<void> => {
    const elsewhere = memoryStorage();
    await pushRoots({ remote: open(elsewhere), store: origin, roots: [{ root }] });
    await fetch(store, elsewhere, root);
    expect(readFiles(store, root)).toEqual(flat(all));
  };

  test.each(['blobs', 'trees'] as const)('a bit of a pack of %s that is flipped', async (kind) => {
    const key = packOf(kind);
    const sound = bytesAt(key);
    // In the first object, behind the headers of the pack and of the object, and in the middle.
    for (const at of [52, Math.floor(sound.length / 2)]) {
      storage.objects.set(key, flipped(sound, at));
      const store = newStore();
      await expectCode(store, 'ERR_OBJECT_DAMAGED');
      await expectSound(store);
    }
  });

  test.each(['blobs', 'trees'] as const)('a pack of %s that is cut off', async (kind) => {
    const key = packOf(kind);
    storage.objects.set(key, bytesAt(key).subarray(0, 300));
    const store = newStore();
    await expectCode(store, 'ERR_OBJECT_DAMAGED');
    await expectSound(store);
  });

  test.each(['blobs', 'trees'] as const)('a pack of %s that is gone', async (kind) => {
    storage.objects.delete(packOf(kind));
    const store = newStore();
    await expectCode(store, 'ERR_OBJECT_MISSING');
    await expectSound(store);
  });

  test('packs that changed their names', async () => {
    const [first, second] = keysOf('/packs/');
    if (first === undefined || second === undefined) throw new Error('there are no two packs');
    const kept = bytesAt(first);
    storage.objects.set(first, bytesAt(second));
    storage.objects.set(second, kept);
    const store = newStore();
    await expectCode(store, 'ERR_OBJECT_DAMAGED');
    await expectSound(store);
  });

  test('a large blob that is flipped, cut off, too long or gone', async () => {
    const all = await withLarge();
    const [key] = keysOf('/blobs/');
    if (key === undefined) throw new Error('there is no large blob');
    const sound = bytesAt(key);
    for (const lie of [flipped(sound, 5_000_000), sound.subarray(0, 8_000_000), undefined]) {
      if (lie === undefined) storage.objects.delete(key);
      else storage.objects.set(key, lie);
      const store = newStore();
      await expect(fetch(store, storage, root)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_OBJECT_(DAMAGED|MISSING)$/),
      });
      await expectSound(store, all);
    }
    storage.objects.set(key, Buffer.concat([sound, Buffer.from('more')]));
    await fetch(newStore(), storage, root);
  });

  test('the map of another root', async () => {
    const other = await storeFiles(origin, { ...files, other: randomBytes(5) });
    await pushRoots({ remote: open(storage), store: origin, roots: [{ root: other }] });
    const key = (of: OutRoot): StorageKey =>
      `shared/maps/${hexOf(of.digest).slice(0, 2)}/${hexOf(of.digest).slice(2)}.map` as StorageKey;
    storage.objects.set(key(root), bytesAt(key(other)));
    const store = newStore();
    await expectCode(store, 'ERR_MAP_INVALID');
    await expectSound(store);
  });

  test('a map that is damaged anywhere is refused or does no harm', async () => {
    const [key] = keysOf('/maps/');
    if (key === undefined) throw new Error('there is no map');
    const sound = bytesAt(key);
    for (let i = 0; i < 40; i++) {
      const at = Math.floor((i / 40) * sound.length);
      storage.objects.set(key, i % 3 === 0 ? sound.subarray(0, at) : flipped(sound, at));
      const store = newStore();
      await fetch(store, storage, root).then(
        () => expect(readFiles(store, root)).toEqual(flat(files)),
        (error: unknown) =>
          expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(MAP_INVALID|OBJECT_\w+|FORMAT_VERSION)$/) }),
      );
    }
  });

  test('one damaged object does not keep the others away', async () => {
    const damaged = Buffer.from(flat(files).get('folder/f50') ?? '', 'latin1');
    const key = packOf('blobs');
    storage.objects.set(key, flipped(bytesAt(key), bytesAt(key).indexOf(damaged)));
    const store = newStore();
    await expectCode(store, 'ERR_OBJECT_DAMAGED');
    const missing = [...flat(files)].filter(
      ([, text]) => store.reader.size('blob', rawDigestOf(Buffer.from(text, 'latin1'))) === undefined,
    );
    expect(missing.map(([path]) => path)).toEqual(['folder/f50']);
  });

  test('a copy of another area is used', async () => {
    const trusted = openRemote({ storage, area: 'trusted' });
    await pushRoots({ remote: trusted, store: origin, roots: [{ root }] });
    for (const key of keysOf('shared/packs/')) storage.objects.set(key, flipped(bytesAt(key), 100));
    const store = newStore();
    const result = await fetch(store, storage, root);
    expect(result.files).toEqual({ received: 123, reused: 0 });
    expect(readFiles(store, root)).toEqual(flat(files));
    for (const key of keysOf('trusted/packs/')) storage.objects.delete(key);
    await expect(fetch(newStore(), storage, root)).rejects.toMatchObject({ exitCode: 4 });
  });
});

describe('a remote that is down', () => {
  test('is never a miss, whatever request fails', async () => {
    const clean = counting(storage);
    await fetch(newStore(), clean, root);
    for (let failing = 0; failing < clean.requests.get; failing++) {
      const down = faulty(storage);
      for (let i = 0; i < failing; i++) down.inject('get', { kind: 'gate', opened: Promise.resolve() });
      down.inject('get', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
      await expect(fetch(newStore(), down, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
      down.assertAllHit();
    }
  });

  test('what came before is kept and does not come again', async () => {
    await withLarge();
    const down = faulty(storage);
    down.inject('get', { kind: 'error', code: 'ERR_REMOTE_DOWN' }, /\/blobs\//);
    const store = newStore();
    await expect(fetch(store, down, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
    down.assertAllHit();
    expect((await fetch(store, storage, root)).files).toEqual({ received: 1, reused: 123 });
  });

  test('a root that it does not have is named', async () => {
    const unknown = await storeFiles(origin, { x: randomBytes(7) });
    await expect(fetch(newStore(), storage, unknown)).rejects.toMatchObject({
      exitCode: 4,
      details: { digest: unknown.digest },
    });
  });

  test('a root that is all here needs no remote', async () => {
    const unknown = await storeFiles(origin, { x: randomBytes(7) });
    expect((await fetch(origin, storage, unknown)).files).toEqual({ received: 0, reused: 1 });
    expect((await fetch(origin, memoryStorage(), unknown)).files).toEqual({ received: 0, reused: 1 });
  });

  test('a remote that was in use and is empty is down, one that never was is empty', async () => {
    const seen = openRemote({ storage: memoryStorage(), area: 'shared', seen: 'have' });
    await expect(fetchRoots({ remote: seen, store: newStore(), wants: [{ root }] })).rejects.toMatchObject({
      code: 'ERR_REMOTE_DOWN',
    });
    const fresh = openRemote({ storage: memoryStorage(), area: 'shared' });
    await expect(fetchRoots({ remote: fresh, store: newStore(), wants: [{ root }] })).rejects.toMatchObject({
      exitCode: 4,
    });
  });

  test('a remote of a newer format is refused', async () => {
    storage.objects.set('format' as StorageKey, Buffer.from('{"version": 2}'));
    await expect(fetch(newStore(), storage, root)).rejects.toMatchObject({ code: 'ERR_FORMAT_VERSION' });
  });
});

test('an aborted fetch is an interruption', async () => {
  await expect(fetch(newStore(), storage, root, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_INTERRUPTED',
  });
});
