import { randomBytes } from 'node:crypto';
import { digestFromRaw, rawDigestOf } from '../model/digest.js';
import { decodeMap, IN_MAP } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import { expectWhole } from '../testing/encoded-remote.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { keysOf, mapKeyOf, openShared, push } from '../testing/pushing.js';
import { type Files, randomFiles, storeFile, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import { pushRoots } from './push.js';
import { isComplete, openRemote } from './remote.js';
import { counting } from './storage/counting.js';

const newStore = useStores();

describe('what is sent', () => {
  test('files, an empty file, an empty directory, a split directory, and a large file come back as they were', async () => {
    const files: Files = {
      empty: Buffer.alloc(0),
      folder: {},
      many: randomFiles(3000, 20),
      deep: { a: { b: { c: { d: randomBytes(10) } } } },
      middle: randomBytes(300_000),
      large: randomBytes(9 * 1024 * 1024 + 17),
    };
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await push(store, storage, root);
    expect(keysOf(storage, 'blobs/')).toHaveLength(1);
    await expectWhole(storage, root, files);
  });

  test('a root that is one file, small or large', async () => {
    for (const bytes of [0, 1000, 8 * 1024 * 1024]) {
      const content = randomBytes(bytes);
      const storage = memoryStorage();
      const store = newStore();
      const root = await storeFile(store, content);
      await push(store, storage, root);
      const clone = newStore();
      await fetchRoots({ remote: openShared(storage), store: clone, wants: [{ root }] });
      expect(clone.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
    }
  });

  test('one file of 10,000 changed: little is written, and what did not change is referred to', async () => {
    const folder = (): Files => randomFiles(2000, 30, 'a-file-');
    const [folder1, folder2, folder3, folder4, folder5] = [folder(), folder(), folder(), folder(), folder()];
    const files = { folder1, folder2, folder3, folder4, folder5 };
    const storage = memoryStorage();
    const store = newStore();
    const before = await storeFiles(store, files);
    await push(store, storage, before);
    const changed = { ...files, folder3: { ...folder3, 'a-file-77': randomBytes(31) } };
    const after = await storeFiles(store, changed);
    const sizeBefore = total(storage);
    const counted = counting(storage);
    const result = await push(store, counted, after);
    expect(result.files).toEqual({ sent: 1, reused: 9_999 });
    expect(result.bytes.sent).toBe(31);
    expect(total(storage) - sizeBefore).toBeLessThan(64 * 1024 + 31);
    expect(counted.requests.put).toBeLessThanOrEqual(3);
    const { front } = decodeMap(storage.objects.get(mapKeyOf(after) as never) ?? Buffer.alloc(0), 'test');
    expect(front.maps).toHaveLength(1);
    expect(front.nodes.row(1).how).toBe(IN_MAP);
    await expectWhole(storage, after, changed);
  });

  test('a chain of versions refers only to maps that hold the nodes themselves', async () => {
    const storage = memoryStorage();
    const store = newStore();
    let files: Files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`d${i}`, randomFiles(40, 50)]));
    let root = await storeFiles(store, files);
    await push(store, storage, root);
    for (let version = 0; version < 5; version++) {
      files = { ...files, [`d${version}`]: randomFiles(40, 50) };
      root = await storeFiles(store, files);
      await push(store, storage, root);
    }
    const { front } = decodeMap(storage.objects.get(mapKeyOf(root) as never) ?? Buffer.alloc(0), 'test');
    for (const { raw } of front.maps) {
      const named = storage.objects.get(mapKeyOf({ digest: digestFromRaw(raw) }) as never);
      const { front: there } = decodeMap(named ?? Buffer.alloc(0), 'test');
      for (let i = 0; i < front.nodes.count; i++) {
        const row = front.nodes.row(i);
        if (row.how !== IN_MAP || front.maps[row.place]?.raw !== raw) continue;
        expect(there.nodes.number(there.nodes.find(row.offset))).toBe(row.offset);
        expect(there.nodes.row(there.nodes.find(row.offset)).how).not.toBe(IN_MAP);
      }
    }
    await expectWhole(storage, root, files);
  });

  test('a directory that becomes a root of its own needs no data', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const inner = randomFiles(50, 100);
    await push(store, storage, await storeFiles(store, { outer: inner, more: randomFiles(5, 5) }));
    const root = await storeFiles(store, inner);
    expect(await push(store, storage, root)).toMatchObject({ files: { sent: 0, reused: 50 } });
    await expectWhole(storage, root, inner);
  });
});

describe('areas', () => {
  const files = { a: randomFiles(40, 100) };

  test('a map of a less trusted area proves nothing, and nothing of it is referred to', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await push(store, storage, root);
    const trusted = openRemote({ storage, area: 'trusted' });
    expect(await isComplete(trusted, root.digest)).toBe(false);
    const result = await pushRoots({ remote: trusted, store, roots: [{ root }], known: [root] });
    expect(result.files).toEqual({ sent: 40, reused: 0 });
    for (const key of keysOf(storage, 'shared/')) storage.objects.delete(key as never);
    await expectWhole(storage, root, files);
  });

  test('a map of a more trusted area does', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await pushRoots({ remote: openRemote({ storage, area: 'trusted' }), store, roots: [{ root }] });
    for (const area of ['shared', 'pr/7'] as const) {
      const remote = openRemote({ storage, area });
      expect(await isComplete(remote, root.digest)).toBe(true);
      const more = await storeFiles(store, { ...files, b: randomBytes(10) });
      expect((await pushRoots({ remote, store, roots: [{ root: more }] })).files).toEqual({ sent: 1, reused: 40 });
    }
    expect(keysOf(storage, 'pr/7/maps')).toHaveLength(1);
  });
});

describe('two pushers at once', () => {
  test('of the same root: both end complete', async () => {
    const storage = memoryStorage();
    const files = { a: randomFiles(60, 100), b: randomFiles(60, 100) };
    const [one, two] = [newStore(), newStore()];
    const root = await storeFiles(one, files);
    await storeFiles(two, files);
    await Promise.all([push(one, storage, root), push(two, storage, root)]);
    await expectWhole(storage, root, files);
    const after = { ...files, c: randomBytes(5) };
    for (const store of [one, two]) await push(store, storage, await storeFiles(store, after));
    await expectWhole(storage, await storeFiles(one, after), after);
  });

  test('of different roots, from one store', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const both = { a: randomFiles(60, 100) };
    const versions = [1, 2, 3].map((n) => ({ ...both, [`own${n}`]: randomFiles(20, 50) }));
    const roots: OutRoot[] = [];
    for (const files of versions) roots.push(await storeFiles(store, files));
    await Promise.all(roots.map((root) => push(store, storage, root)));
    for (const [i, root] of roots.entries()) await expectWhole(storage, root, versions[i] ?? {});
  });
});

test('a push with nothing to do asks twice and writes nothing', async () => {
  const storage = memoryStorage();
  const store = newStore();
  const root = await storeFiles(store, randomFiles(10, 70_000));
  await push(store, storage, root);
  const counted = counting(storage);
  await push(store, counted, root);
  expect(counted.requests).toMatchObject({ put: 0, list: 0, delete: 0 });
  expect(counted.requests.get + counted.requests.head).toBeLessThanOrEqual(2);
});

test('an aborted push is an interruption and leaves no map', async () => {
  const storage = memoryStorage();
  const store = newStore();
  const root = await storeFiles(store, randomFiles(10, 70_000));
  await expect(push(store, storage, root, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_INTERRUPTED',
  });
  expect(keysOf(storage, 'maps')).toEqual([]);
});

function total(storage: MemoryStorage): number {
  return [...storage.objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}
