import { randomBytes } from 'node:crypto';
import { decodeMap, PATCHED } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import { auditedCodes, expectWhole, fetched, openEncoded, pushEncoded } from '../testing/encoded-remote.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { randomFiles, readFiles, storeFiles, useStores } from '../testing/store-files.js';
import { Auditor } from './audit.js';
import { fetchRoots } from './fetch.js';
import { collectRemote } from './gc/collect.js';
import { mapKey } from './keys.js';
import { claimsOf } from './map-claims.js';
import { pushRoots } from './push.js';
import type { StorageKey } from './storage/port.js';

const DAY_MS = 24 * 60 * 60 * 1000;

const newStore = useStores(afterAll);

const mapOf = (storage: MemoryStorage, root: OutRoot): ReturnType<typeof decodeMap>['front'] =>
  decodeMap(storage.objects.get(mapKey('shared', root.digest)) ?? Buffer.alloc(0), 'test').front;

const patchedIn = (storage: MemoryStorage, root: OutRoot): number => {
  const { nodes } = mapOf(storage, root);
  return Array.from({ length: nodes.count }, (_, i) => nodes.row(i)).filter(({ how }) => how === PATCHED).length;
};

const bytesOn = ({ objects }: MemoryStorage): number =>
  [...objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);

/** Versions of a folder, each with one file changed, the first of which has its nodes whole. */
async function versions(store: Store, count: number, files: Record<string, Buffer>): Promise<OutRoot[]> {
  const roots: OutRoot[] = [];
  for (let i = 0; i < count; i++) {
    if (i > 0) files[`f${i * 7}`] = randomBytes(90 + i);
    roots.push(await storeFiles(store, { folder: files }));
  }
  return roots;
}

test('each of many versions is whole elsewhere, whether the one before was there or not', async () => {
  const store = newStore();
  const storage = memoryStorage();
  const files = randomFiles(1000, 20);
  const contents: Record<string, Buffer>[] = [];
  const roots: OutRoot[] = [];
  for (let i = 0; i < 5; i++) {
    if (i > 0) files[`f${i * 7}`] = randomBytes(90 + i);
    if (i === 3) delete files.f0;
    contents.push({ ...files });
    const root = await storeFiles(store, { folder: files });
    roots.push(root);
    await pushEncoded(store, storage, root);
    expect(patchedIn(storage, root)).toBe(i === 0 ? 0 : 1);
  }
  for (const [i, root] of roots.entries()) {
    await expectWhole(storage, root, { folder: contents[i] ?? {} });
    expect(await auditedCodes(storage, root)).toEqual([]);
  }
  // All of them at once, by one who sends them at once.
  const other = memoryStorage('memory:other');
  await pushRoots({ remote: openEncoded(other), store, roots: roots.map((root) => ({ root })) });
  for (const [i, root] of roots.entries()) await expectWhole(other, root, { folder: contents[i] ?? {} });
});

test('what a new version adds is little for one who has only fetched the version before', async () => {
  const [store, clone, third] = [newStore(), newStore(), newStore()];
  const storage = memoryStorage();
  const files = randomFiles(1000, 20);
  const roots = await versions(store, 2, files);
  for (const root of roots) await pushEncoded(store, storage, root);
  let before = roots[1];
  for (const [i, somebody] of [clone, third].entries()) {
    if (before === undefined) throw new Error('there are two versions');
    await fetchRoots({ remote: openEncoded(storage), store: somebody, wants: [{ root: before }] });
    files[`f${i}`] = randomBytes(77);
    const next = await storeFiles(somebody, { folder: files });
    const bytes = bytesOn(storage);
    await pushEncoded(somebody, storage, next, undefined, [before]);
    expect(patchedIn(storage, next)).toBe(1);
    // Where 1,000 files lie takes 16 bytes each.
    expect(bytesOn(storage) - bytes).toBeLessThan(20_000);
    await expectWhole(storage, next, { folder: files });
    before = next;
  }
});

test('a node that is mostly new is sent whole', async () => {
  const store = newStore();
  const storage = memoryStorage();
  const files = randomFiles(1000, 20);
  await pushEncoded(store, storage, await storeFiles(store, { folder: files }));
  const root = await storeFiles(store, { folder: { ...files, ...randomFiles(400, 20) } });
  await pushEncoded(store, storage, root);
  expect(patchedIn(storage, root)).toBe(0);
  await expectWhole(storage, root, { folder: { ...files, ...readBack(store, root) } });
});

function readBack(store: Store, root: OutRoot): Record<string, Buffer> {
  return Object.fromEntries(
    [...readFiles(store, root)].map(([path, text]) => [path.slice('folder/'.length), Buffer.from(text, 'latin1')]),
  );
}

test('a base that is gone or damaged is found out, by a fetch and by both audits', async () => {
  const store = newStore();
  const roots = await versions(store, 2, randomFiles(1000, 20));
  for (const harm of ['gone', 'damaged', 'short'] as const) {
    const storage = memoryStorage(`memory:${harm}`);
    for (const root of roots) await pushEncoded(store, storage, root);
    const [, patched] = roots;
    if (patched === undefined) throw new Error('there are two versions');
    const { packs } = mapOf(storage, patched);
    // The pack of trees that both versions name.
    const key = packs
      .map(({ raw }) => `shared/packs/${raw.toString('hex')}.pack` as StorageKey)
      .find((pack) => storage.objects.get(pack)?.[5] === 1 && (storage.objects.get(pack)?.length ?? 0) > 30_000);
    if (key === undefined) throw new Error('the base lies in a pack');
    const bytes = Buffer.from(storage.objects.get(key) ?? '');
    bytes[20_000] = (bytes[20_000] ?? 0) ^ 1;
    if (harm === 'gone') storage.objects.delete(key);
    else storage.objects.set(key, harm === 'short' ? bytes.subarray(0, 20_000) : bytes);
    const wants = [{ root: patched }];
    const code = harm === 'gone' ? 'ERR_OBJECT_MISSING' : 'ERR_OBJECT_DAMAGED';
    await expect(fetchRoots({ remote: openEncoded(storage), store: newStore(), wants })).rejects.toMatchObject({
      code,
    });
    expect(await auditedCodes(storage, patched)).not.toEqual([]);
    // Also where the store has the node itself.
    const deep = new Auditor({ remote: openEncoded(storage), reader: store.reader, deep: true });
    expect(await deep.problemsOf('shared', patched.digest)).not.toEqual([]);
    const shallow = new Auditor({ remote: openEncoded(storage), reader: newStore().reader });
    if (harm !== 'damaged') expect(await shallow.problemsOf('shared', patched.digest)).not.toEqual([]);
  }
});

test('a collection keeps the base of what it keeps, and knows it when its pack was copied', async () => {
  let now = 1_700_000_000_000;
  const storage = memoryStorage('memory:', () => now);
  const store = newStore();
  const files = randomFiles(1000, 20);
  // Most of its pack of trees is dead when the first version is given up.
  const more = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`more${i}`, randomFiles(60, 3, `x${i}-`)]));
  const first = await storeFiles(store, { folder: files, ...more });
  await pushEncoded(store, storage, first);
  files.f9 = randomBytes(99);
  const second = await storeFiles(store, { folder: files });
  await pushEncoded(store, storage, second, undefined, [first]);
  expect(patchedIn(storage, second)).toBe(1);
  const packs = (): StorageKey[] => [...storage.objects.keys()].filter((key) => key.includes('/packs/'));
  const before = packs();
  const collect = async (live: OutRoot): Promise<unknown> => {
    now += 2 * DAY_MS;
    return collectRemote({
      remote: openEncoded(storage),
      reader: newStore().reader,
      roots: async () => ({
        live: new Set([live.digest]),
        known: new Set([first.digest, second.digest, live.digest]),
      }),
      graceMs: DAY_MS,
      nowMs: now,
      by: 'test',
    });
  };
  expect(await collect(second)).toMatchObject({ repacked: { packs: 2 } });
  await collect(second);
  expect(packs().filter((key) => before.includes(key))).toHaveLength(2);
  expect(storage.objects.has(mapKey('shared', first.digest))).toBe(false);
  expect(patchedIn(storage, second)).toBe(1);
  await expectWhole(storage, second, { folder: files });
  expect(await auditedCodes(storage, second)).toEqual([]);
  // Who knows another place of the base still, finds out in time.
  files.f10 = randomBytes(99);
  const third = await storeFiles(store, { folder: files });
  await pushEncoded(store, storage, third, undefined, [second]);
  await expectWhole(storage, third, { folder: files });
});

test('packs that a map only names for those after it keep nothing', async () => {
  let now = 1_700_000_000_000;
  const storage = memoryStorage('memory:', () => now);
  const store = newStore();
  const same = { same: randomFiles(30, 9) };
  const few = randomFiles(5, 9, 'few');
  const roots: OutRoot[] = [];
  // What the versions but the last have in packs of their own, the last only names.
  for (let i = 0; i < 4; i++) {
    const root = await storeFiles(store, { ...same, mixed: { ...few, [`only${i}`]: randomBytes(50) } });
    await pushEncoded(store, storage, root, undefined, roots.toReversed());
    roots.push(root);
  }
  const [live] = roots.toReversed();
  if (live === undefined) throw new Error('there are four versions');
  const ends = (): number[] => {
    const key = mapKey('shared', live.digest);
    const { packs } = claimsOf(storage.objects.get(key) ?? Buffer.alloc(0), 'shared', live.digest, key);
    return packs.map(({ end }) => end);
  };
  expect(ends().filter((end) => end === 0).length).toBeGreaterThan(3);
  for (let i = 0; i < 3; i++) {
    now += 2 * DAY_MS;
    const digests = new Set(roots.map(({ digest }) => digest));
    await collectRemote({
      remote: openEncoded(storage),
      reader: newStore().reader,
      roots: async () => ({ live: new Set([live.digest]), known: digests }),
      graceMs: DAY_MS,
      nowMs: now,
      by: 'test',
    });
  }
  expect(ends().every((end) => end > 0)).toBe(true);
  expect([...storage.objects.keys()].filter((key) => key.includes('/packs/'))).toHaveLength(ends().length);
  expect(await auditedCodes(storage, live)).toEqual([]);
  expect(await fetched(storage, live, (clone) => readFiles(clone, live).size)).toBe(36);
});
