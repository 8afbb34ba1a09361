import { randomBytes } from 'node:crypto';
import type { Digest } from '../../model/digest.js';
import type { OutRoot } from '../../model/root.js';
import { type MemoryStorage, memoryStorage } from '../../testing/memory-storage.js';
import {
  type Files,
  flat,
  randomFiles,
  readFiles,
  storeFile,
  storeFiles,
  useStores,
} from '../../testing/store-files.js';
import type { Area } from '../areas.js';
import { Auditor } from '../audit.js';
import { fetchRoots } from '../fetch.js';
import { pushRoots } from '../push.js';
import { openRemote, type Remote } from '../remote.js';
import { storageKey } from '../storage/port.js';
import { type CollectRemoteOptions, type CollectRemoteReport, collectRemote } from './collect.js';

const DAY_MS = 24 * 60 * 60 * 1000;

const newStore = useStores(afterAll);
let now = 0;
let storage: MemoryStorage;

beforeEach(() => {
  now = 1_700_000_000_000;
  storage = memoryStorage('memory:', () => now);
});

function open(area: Area = 'shared'): Remote {
  return openRemote({ storage, area });
}

async function push(
  store: ReturnType<typeof newStore>,
  root: OutRoot,
  previous: OutRoot[] = [],
  area: Area = 'shared',
) {
  return pushRoots({ remote: open(area), store, roots: [{ root, previous }] });
}

/** Collects with these roots in scope; all roots are known, unless it is said. */
async function gc(
  live: readonly OutRoot[],
  known: readonly OutRoot[],
  more: Partial<CollectRemoteOptions> = {},
): Promise<CollectRemoteReport> {
  const digests = (roots: readonly OutRoot[]): Set<Digest> => new Set(roots.map(({ digest }) => digest));
  return collectRemote({
    remote: open(),
    reader: newStore().reader,
    roots: async () => ({ live: digests(live), known: digests(known) }),
    graceMs: DAY_MS,
    nowMs: now,
    by: 'test',
    ...more,
  });
}

/** Both steps, with the days between them. */
async function gcTwice(live: readonly OutRoot[], known: readonly OutRoot[], more: Partial<CollectRemoteOptions> = {}) {
  now += 2 * DAY_MS;
  const first = await gc(live, known, more);
  now += DAY_MS;
  return { first, second: await gc(live, known, more) };
}

const keysOf = (kind: string): string[] =>
  [...storage.objects.keys()].filter((key) => key.includes(`/${kind}/`)).sort();

async function expectAllSound(): Promise<void> {
  const auditor = new Auditor({ remote: open(), reader: newStore().reader, deep: true });
  for (const key of storage.objects.keys()) {
    const [, area, head, rest] = /^(.*)\/maps\/(..)\/(.*)\.map$/.exec(key) ?? [];
    if (area === undefined) continue;
    expect(await auditor.problemsOf(area as Area, `sha256:${head}${rest}` as Digest)).toEqual([]);
  }
}

async function expectWhole(root: OutRoot, files: Files): Promise<void> {
  const store = newStore();
  await fetchRoots({ remote: open(), store, wants: [{ root }] });
  expect(readFiles(store, root)).toEqual(flat(files));
}

test('what nothing names goes after the grace period, and no sooner', async () => {
  const store = newStore();
  const dead = await storeFiles(store, randomFiles(5, 1000));
  const files = randomFiles(3, 1000);
  const live = await storeFiles(store, files);
  await push(store, dead);
  await push(store, live);
  expect(await gc([live], [live, dead])).toMatchObject({
    removed: { blobs: 0 },
    condemned: { blobs: 0 },
    dueMs: undefined,
  });
  now += 2 * DAY_MS;
  const first = await gc([live], [live, dead]);
  expect(first).toMatchObject({
    removed: { blobs: 0 },
    condemned: { blobs: 5, trees: 1, bytes: 5000 },
    kept: { blobs: 3, trees: 1, bytes: 3000 },
    dueMs: DAY_MS,
  });
  now += DAY_MS - 1;
  expect(await gc([live], [live, dead])).toMatchObject({ removed: { blobs: 0 }, condemned: { blobs: 5 }, dueMs: 1 });
  now += 1;
  const last = await gc([live], [live, dead]);
  expect(last).toMatchObject({ removed: { blobs: 5, trees: 1, bytes: 5000 }, kept: { blobs: 3 }, dueMs: undefined });
  expect(last.freed.objects).toBe(3);
  expect(keysOf('maps')).toHaveLength(1);
  expect(keysOf('packs')).toHaveLength(2);
  expect(keysOf('gc')).toEqual([expect.stringMatching(/^shared\/gc\/receipts\//)]);
  await expectAllSound();
  await expectWhole(live, files);
});

test('a dry run changes nothing and tells the same', async () => {
  const store = newStore();
  const dead = await storeFiles(store, randomFiles(5, 1000));
  await push(store, dead);
  now += 2 * DAY_MS;
  const before = new Map(storage.objects);
  const dry = await gc([], [dead], { dryRun: true });
  expect(storage.objects).toEqual(before);
  expect(dry).toEqual(await gc([], [dead]));
  now += DAY_MS;
  const listed = new Map(storage.objects);
  const dryLast = await gc([], [dead], { dryRun: true });
  expect(storage.objects).toEqual(listed);
  expect(dryLast).toEqual(await gc([], [dead]));
  expect(dryLast.removed).toEqual({ blobs: 5, trees: 1, bytes: 5000 });
});

test('without a grace period all goes at once', async () => {
  const store = newStore();
  const dead = await storeFiles(store, randomFiles(5, 1000));
  await push(store, dead);
  expect(await gc([], [dead], { graceMs: 0 })).toMatchObject({ removed: { blobs: 5, trees: 1 }, dueMs: undefined });
  expect(keysOf('maps')).toEqual([]);
  expect(keysOf('packs')).toEqual([]);
});

test('a later version that refers to the map of a dead one keeps only what it needs of it', async () => {
  const store = newStore();
  const same = randomFiles(40, 500);
  const first: Files = { same, changes: randomFiles(40, 500), big: randomBytes(9_000_000) };
  const second: Files = { ...first, changes: randomFiles(40, 500), big: randomBytes(9_000_000) };
  const dead = await storeFiles(store, first);
  await push(store, dead);
  const live = await storeFiles(store, second);
  const sent = await push(store, live, [dead]);
  expect(sent.files).toEqual({ sent: 41, reused: 40 });
  expect(keysOf('blobs')).toHaveLength(2);
  const { first: report, second: last } = await gcTwice([live], [live, dead]);
  expect(report).toMatchObject({ condemned: { blobs: 41, trees: 2 }, kept: { blobs: 81, trees: 3 } });
  expect(report.repacked.packs).toBeGreaterThan(0);
  expect(last.removed).toEqual(report.condemned);
  expect(keysOf('maps')).toHaveLength(1);
  expect(keysOf('blobs')).toHaveLength(1);
  await expectAllSound();
  await expectWhole(live, second);
  // What came of it can be relied on again.
  const third: Files = { ...second, more: randomFiles(20, 100) };
  const next = await storeFiles(store, third);
  await push(store, next, [live]);
  await expectAllSound();
  await expectWhole(next, third);
});

test('large files in chunks keep those chunks that they need', async () => {
  const store = newStore();
  const chunking = { compression: 'none', chunking: true } as const;
  const send = (root: OutRoot, previous: OutRoot[] = []): ReturnType<typeof pushRoots> => {
    const remote = openRemote({ storage, area: 'shared', encoding: chunking });
    return pushRoots({ remote, store, roots: [{ root, previous }] });
  };
  const start = randomBytes(4_000_000);
  const same = randomFiles(20, 100);
  const before: Files = { same, large: Buffer.concat([start, randomBytes(14_000_000)]) };
  const after: Files = { same, large: Buffer.concat([start, randomBytes(14_000_000)]) };
  const dead = await storeFiles(store, before);
  await send(dead);
  const live = await storeFiles(store, after);
  expect((await send(live, [dead])).bytes.sent).toBeLessThan(18_000_000);
  const { first, second } = await gcTwice([live], [live, dead]);
  expect(first.repacked.packs).toBeGreaterThan(0);
  expect(second.removed.bytes).toBeGreaterThan(13_000_000);
  expect(keysOf('maps')).toHaveLength(1);
  await expectAllSound();
  await expectWhole(live, after);
});

test('packs that are mostly dead are copied into one, byte by byte', async () => {
  const store = newStore();
  const pool = randomFiles(20, 2000);
  const versions: OutRoot[] = [];
  for (let i = 0; i < 6; i++) {
    const files = { ...randomFiles(10, 2000, `v${i}-`), [`keep${i}`]: pool[`f${i}`] ?? Buffer.alloc(0) };
    versions.push(await storeFiles(store, files));
    await push(store, versions[i] ?? never());
  }
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`keep${i}`, pool[`f${i}`] ?? Buffer.alloc(0)]));
  const live = await storeFiles(store, files);
  await push(store, live);
  const packs = keysOf('packs').length;
  const { first, second } = await gcTwice([live], [...versions, live]);
  expect(first.repacked.packs).toBe(6);
  expect(second.removed).toMatchObject({ blobs: 60, trees: 6 });
  expect(keysOf('packs').length).toBeLessThan(packs - 10);
  expect(keysOf('packs')).toHaveLength(2);
  await expectAllSound();
  await expectWhole(live, files);
});

test('foreign roots stay until they are given up by their age', async () => {
  const store = newStore();
  const foreign = await storeFiles(store, randomFiles(2, 1000));
  await push(store, foreign);
  const { second } = await gcTwice([], []);
  expect(second).toMatchObject({ foreignRoots: 1, kept: { blobs: 2 }, condemned: { blobs: 0 } });
  expect((await gcTwice([], [], { foreignMs: 30 * DAY_MS })).second.foreignRoots).toBe(1);
  now += 30 * DAY_MS;
  expect((await gcTwice([], [], { foreignMs: 30 * DAY_MS })).second).toMatchObject({
    foreignRoots: 0,
    removed: { blobs: 2 },
  });
});

test('what other areas need stays, and their objects are not touched', async () => {
  const store = newStore();
  const files = { a: randomFiles(20, 100), b: randomFiles(20, 100) };
  const old = await storeFiles(store, files);
  await pushRoots({ remote: open('trusted'), store, roots: [{ root: old }] });
  const next = await storeFiles(store, { ...files, b: randomFiles(20, 100, 'n') });
  await push(store, next, [old]);
  const other = await storeFiles(store, randomFiles(3, 100));
  await push(store, other);
  const { second } = await gcTwice([], [old, next, other], { remote: open('trusted') });
  expect(second).toMatchObject({ removed: { blobs: 0 }, condemned: { blobs: 0 } });
  expect(keysOf('maps')).toHaveLength(3);
  await expectAllSound();
});

test('a pusher does not rely on what is condemned', async () => {
  const store = newStore();
  const files = { a: randomFiles(20, 100), big: randomBytes(9_000_000) };
  const dead = await storeFiles(store, files);
  await push(store, dead);
  now += 2 * DAY_MS;
  await gc([], [dead]);
  const again = await push(store, dead);
  expect(again.files).toEqual({ sent: 21, reused: 0 });
  now += DAY_MS;
  // In another branch it was still dead; its map and large blob are young by now.
  expect(await gc([], [dead])).toMatchObject({ removed: { blobs: 0 } });
  expect(keysOf('maps')).toHaveLength(1);
  await expectAllSound();
  await expectWhole(dead, files);
});

test('a map that is in use and cannot be read stops the collection', async () => {
  const store = newStore();
  const live = await storeFiles(store, randomFiles(2, 100));
  const dead = await storeFiles(store, randomFiles(2, 100, 'd'));
  await push(store, live);
  await push(store, dead);
  const [key = ''] = keysOf('maps').filter((name) => name.includes(live.digest.slice(9, 20)));
  storage.objects.set(storageKey(key), Buffer.from('damaged'));
  await expect(gcTwice([live], [live, dead])).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
  expect(keysOf('gc')).toEqual([]);
});

test('two collections do not run at once, and one that died is forgotten', async () => {
  const store = newStore();
  const root = await storeFile(store, randomBytes(100));
  await push(store, root);
  const roots = async (): Promise<{ live: Set<Digest>; known: Set<Digest> }> => {
    await expect(gc([root], [root])).rejects.toMatchObject({ code: 'ERR_HELD', exitCode: 5 });
    return { live: new Set(), known: new Set() };
  };
  await gc([], [], { roots });
  expect(keysOf('holds')).toEqual([]);
  const dead = storageKey(`shared/gc/holds/${'0'.repeat(32)}`);
  await storage.put(dead, { bytes: 0, chunks: () => [] });
  await expect(gc([root], [root])).rejects.toMatchObject({ code: 'ERR_HELD' });
  now += DAY_MS;
  await gc([root], [root]);
  expect(keysOf('holds')).toEqual([]);
});

test('a remote that was never used has nothing', async () => {
  expect(await gc([], [])).toMatchObject({ removed: { blobs: 0 }, kept: { blobs: 0 } });
  expect(storage.objects.size).toBe(0);
});

function never(): never {
  throw new Error('not there');
}
