import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { hexOf, rawOf } from '../../model/digest.js';
import { testRoots } from '../../testing/gc-roots.js';
import { addTree, storeBlob, storeTree, type TestFiles } from '../../testing/store-tree.js';
import { looseName } from '../layout.js';
import { relyOn } from '../rely.js';
import { storeStat } from '../stat.js';
import { openStore, type Store } from '../store.js';
import { moveToTrash, openTrash } from '../trash.js';
import { walkTree } from '../trees.js';
import { collect } from './collect.js';

let dir = '';
let store: Store;

beforeEach(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), 'sluice-gc-'));
  store = open();
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

function open(): Store {
  return openStore({ dir: join(dir, 'store'), durability: 'none' });
}

/** Files of a version: most differ between versions, some do not. */
function version(number: number, count: number): TestFiles {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`d${i % 3}/f${i}.txt`, i % 4 === 0 ? `same ${i}` : `v${number} ${i}`]),
  );
}

function packNames(): string[] {
  return fs.existsSync(store.layout.packs) ? fs.readdirSync(store.layout.packs) : [];
}

function isComplete(root: { digest: Parameters<typeof walkTree>[1] }): boolean {
  const fresh = open();
  try {
    for (const directory of walkTree(fresh.reader, root.digest)) {
      directory.names.forEach((_, i) => {
        if (directory.kinds[i] !== 3) fresh.reader.read('blob', directory.digests, i * 32);
      });
    }
    return true;
  } finally {
    fresh.close();
  }
}

describe.each([
  ['loose', false],
  ['packed', true],
])('%s objects', (_, packed) => {
  test('two versions of two files are six objects, and three are left when one version is live', async () => {
    await storeTree(store, { a: 'one', b: 'two' }, packed);
    const second = await storeTree(store, { a: 'three', b: 'four' }, packed);
    expect(storeStat(store)).toMatchObject({ objects: 6, blobs: 4, trees: 2 });
    const report = await collect(store, { roots: testRoots([second]) });
    expect(report.removed).toEqual({ blobs: 2, trees: 1, bytes: 6 });
    expect(report.kept).toEqual({ blobs: 2, trees: 1, bytes: 9 });
    expect(storeStat(store)).toMatchObject({ objects: 3, blobs: 2, trees: 1, bytes: 9 });
    expect(isComplete(second)).toBe(true);
    const prefixes = fs.existsSync(join(dir, 'store/objects')) ? fs.readdirSync(join(dir, 'store/objects')) : [];
    for (const prefix of prefixes) expect(fs.readdirSync(join(dir, 'store/objects', prefix))).not.toEqual([]);
    expect(fs.readdirSync(join(dir, 'store/trash'))).toEqual([]);
  });

  test('a hundred files: exactly the live objects stay', async () => {
    const first = await storeTree(store, version(1, 120), packed);
    const second = await storeTree(store, version(2, 120), packed);
    const report = await collect(store, { roots: testRoots([second]) });
    expect(report.removed).toMatchObject({ blobs: 90, trees: 4 });
    expect(storeStat(store)).toMatchObject({ objects: 124, blobs: 120, trees: 4 });
    expect(isComplete(second)).toBe(true);
    expect(() => isComplete(first)).toThrow('is not in the store');
    expect(await collect(store, { roots: testRoots([second]) })).toMatchObject({
      removed: { blobs: 0, trees: 0, bytes: 0 },
      kept: { blobs: 120, trees: 4 },
    });
  });

  test('a split directory counts as one tree', async () => {
    const files = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`f${i}`, String(i)]));
    const big = await storeTree(store, files, packed);
    expect(storeStat(store)).toMatchObject({ objects: 2001, blobs: 2000, trees: 1 });
    expect(await collect(store, { roots: testRoots([big]) })).toMatchObject({ kept: { blobs: 2000, trees: 1 } });
    expect(await collect(store, { roots: testRoots() })).toMatchObject({ removed: { blobs: 2000, trees: 1 } });
    expect(storeStat(store)).toEqual({ objects: 0, blobs: 0, trees: 0, records: 0, bytes: 0 });
    expect(packNames()).toEqual([]);
  });

  test('a dry run tells the same and deletes nothing', async () => {
    await storeTree(store, version(1, 100), packed);
    const second = await storeTree(store, version(2, 100), packed);
    const before = storeStat(store);
    const dry = await collect(store, { roots: testRoots([second]), dryRun: true });
    expect(storeStat(store)).toEqual(before);
    const real = await collect(store, { roots: testRoots([second]) });
    expect(real).toEqual({ ...dry, dryRun: false });
  });

  test('what only a record names stays while no remote holds it', async () => {
    const first = await storeTree(store, version(1, 80), packed);
    const second = await storeTree(store, version(2, 80), packed);
    const roots = testRoots([second], [first, second]);
    const kept = await collect(store, { roots });
    expect(kept.removed).toEqual({ blobs: 0, trees: 0, bytes: 0 });
    expect(kept.keptUnpushed).toMatchObject({ blobs: 60, trees: 4 });
    expect(kept.unpushed.map(({ root }) => root)).toEqual([first]);
    expect(roots.asked).toEqual([first.digest]);
    roots.onRemote.add(first.digest);
    const dropped = await collect(store, { roots });
    expect(dropped.removed).toMatchObject({ blobs: 60, trees: 4 });
    expect(dropped.dropped.map(({ root }) => root)).toEqual([first]);
  });

  test('--allow-unpushed drops it without asking', async () => {
    const first = await storeTree(store, version(1, 80), packed);
    const roots = testRoots([], [first]);
    const report = await collect(store, { roots, allowUnpushed: true });
    expect(report.removed).toMatchObject({ blobs: 80, trees: 4 });
    expect(roots.asked).toEqual([]);
  });

  test('a live lease protects what it names, a tree with all below it', async () => {
    const tree = await storeTree(store, version(1, 80), packed);
    const blob = await storeBlob(store, 'leased alone', packed);
    await store.write(async (session) => {
      session.lease.append(Buffer.concat([rawOf(tree.digest), rawOf(blob.digest)]));
      expect(await collect(store, { roots: testRoots() })).toMatchObject({ kept: { blobs: 81, trees: 4 } });
    });
    expect(await collect(store, { roots: testRoots() })).toMatchObject({ removed: { blobs: 81, trees: 4 } });
  });

  test('what becomes wanted between the two looks is brought back', async () => {
    const tree = await storeTree(store, version(1, 80), packed);
    const garbage = await storeTree(store, { x: 'garbage' }, packed);
    const roots = testRoots();
    roots.beforeLive = (look) => {
      if (look === 2) roots.liveRoots = [tree];
    };
    const report = await collect(store, { roots });
    expect(report.removed).toMatchObject({ blobs: 1, trees: 1 });
    expect(isComplete(tree)).toBe(true);
    expect(() => isComplete(garbage)).toThrow('is not in the store');
    expect(storeStat(store)).toMatchObject({ objects: 84 });
  });

  test('a damaged tree stops the collection before anything is deleted, also when it was set aside', async () => {
    const live = await storeTree(store, { a: 'one', 'sub/b': 'two' }, packed);
    await storeTree(store, { garbage: 'three' }, packed);
    damage(live.digest, 'tree');
    const before = storeStat(store);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(collect(store, { roots: testRoots([live]) })).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
      const { blobs } = storeStat(store);
      expect(blobs).toBe(before.blobs);
    }
    const healed = await storeTree(store, { a: 'one', 'sub/b': 'two' }, packed);
    expect(healed).toEqual(live);
    expect(await collect(store, { roots: testRoots([live]) })).toMatchObject({ removed: { blobs: 1, trees: 1 } });
    expect(isComplete(live)).toBe(true);
    expect(fs.readdirSync(join(dir, 'store/damaged'))).toEqual([]);
  });

  test('a root that is only referred to here does not stop it', async () => {
    const elsewhere = openStore({ dir: join(dir, 'elsewhere'), durability: 'none' });
    const absent = await storeTree(elsewhere, version(9, 10));
    elsewhere.close();
    await storeTree(store, { x: 'garbage' }, packed);
    expect(await collect(store, { roots: testRoots([absent]) })).toMatchObject({ removed: { blobs: 1, trees: 1 } });
  });

  test('after an interruption everything is back', async () => {
    const tree = await storeTree(store, version(1, 80), packed);
    const other = await storeTree(store, version(2, 80), packed);
    const roots = testRoots([other]);
    const controller = new AbortController();
    roots.beforeLive = (look) => {
      if (look === 2) controller.abort();
    };
    const before = storeStat(store);
    await expect(collect(store, { roots, signal: controller.signal })).rejects.toMatchObject({
      code: 'ERR_INTERRUPTED',
    });
    expect(storeStat(store)).toEqual(before);
    expect(isComplete(tree)).toBe(true);
    expect(fs.readdirSync(join(dir, 'store/trash'))).toEqual([]);
  });

  test('two handles on one store see each other', async () => {
    const other = open();
    const first = await storeTree(store, version(1, 70), packed);
    const second = await storeTree(other, version(2, 70), packed);
    await collect(store, { roots: testRoots([second]) });
    expect(storeStat(other)).toEqual(storeStat(store));
    const again = await storeTree(other, version(1, 70), packed);
    expect(again).toEqual(first);
    expect(isComplete(again)).toBe(true);
    other.close();
  });
});

test('droppable roots give way, oldest first, when the store would be too large', async () => {
  const locked = await storeBlob(store, 'x'.repeat(1000));
  const young = await storeBlob(store, 'y'.repeat(1000));
  const old = await storeBlob(store, 'z'.repeat(1000));
  const roots = testRoots();
  roots.live = async () => [
    { root: locked, why: 'lock' },
    { root: young, why: 'record', droppable: true },
    { root: old, why: 'record', droppable: true },
  ];
  expect(await collect(store, { roots, maxBytes: 2500 })).toMatchObject({ removed: { blobs: 1 }, kept: { blobs: 2 } });
  expect(await collect(store, { roots, maxBytes: 10 })).toMatchObject({ removed: { blobs: 1 }, kept: { bytes: 1000 } });
});

test('what lies in packs beyond the budget stays and is told', async () => {
  const shared = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, `content ${i}`]));
  await storeTree(store, { ...shared, old: 'old' }, true);
  const live = await storeTree(store, shared, true);
  const report = await collect(store, { roots: testRoots([live]), budgetBytes: 10 });
  expect(report.removed).toMatchObject({ blobs: 0, trees: 1 });
  expect(report.left).toEqual({ blobs: 1, trees: 0, bytes: 3 });
  expect(await collect(store, { roots: testRoots([live]) })).toMatchObject({
    removed: { blobs: 1 },
    left: { blobs: 0 },
  });
});

test('many small packs become one, and nothing is counted as removed', async () => {
  const live = [];
  for (let i = 0; i < 10; i++) live.push(await storeTree(store, { f: `content ${i}` }, true));
  expect(packNames()).toHaveLength(20);
  expect(await collect(store, { roots: testRoots(live) })).toMatchObject({
    removed: { blobs: 0, trees: 0 },
    kept: { blobs: 10, trees: 10 },
  });
  expect(packNames()).toHaveLength(2);
  live.forEach(isComplete);
});

test('second copies of live objects go with the pack that holds them', async () => {
  const files = version(1, 80);
  // Two sessions at the same time do not see each other's objects.
  await store.write(async (outer) => {
    const ingestor = outer.ingestor(true);
    const live = addTree(ingestor, files);
    await storeTree(store, files, true);
    outer.publish([ingestor.finish()]);
    expect(packNames()).toHaveLength(4);
    expect(await collect(store, { roots: testRoots([live]) })).toMatchObject({
      kept: { blobs: 80 },
      removed: { blobs: 0 },
    });
    expect(packNames()).toHaveLength(2);
    expect(isComplete(live)).toBe(true);
  });
});

test('a bag of a killed collection is finished: what is named comes back, the rest goes', async () => {
  const live = await storeTree(store, version(1, 80), true);
  const looseLive = await storeTree(store, { a: 'loose', 'd/b': 'below' });
  const dead = await storeBlob(store, 'dead');
  const bag = openTrash(store.files, store.layout);
  for (const name of packNames()) moveToTrash(store.files, store.layout, bag, 'packs', name);
  for (const prefix of fs.readdirSync(store.layout.objects)) {
    for (const rest of fs.readdirSync(join(store.layout.objects, prefix))) {
      moveToTrash(store.files, store.layout, bag, 'objects', `${prefix}/${rest}`);
    }
  }
  await collect(store, { roots: testRoots([live, looseLive]) });
  expect(isComplete(live) && isComplete(looseLive)).toBe(true);
  expect(store.reader.catalog.has('blob', rawOf(dead.digest))).toBe(false);
  expect(fs.readdirSync(store.layout.trash)).toEqual([]);
});

test('a bag keeps what only a record names', async () => {
  const recorded = await storeTree(store, version(1, 80), true);
  const bag = openTrash(store.files, store.layout);
  for (const name of packNames()) moveToTrash(store.files, store.layout, bag, 'packs', name);
  expect(await collect(store, { roots: testRoots([], [recorded]) })).toMatchObject({ keptUnpushed: { blobs: 80 } });
  expect(isComplete(recorded)).toBe(true);
});

test('a damaged pack stops the collection, also when it was set aside and a tree is missing', async () => {
  const live = await storeTree(store, version(1, 80), true);
  await storeBlob(store, 'garbage');
  const trees = store.reader.catalog.packs().find((pack) => pack.index.find(rawOf(live.digest)) >= 0);
  fs.chmodSync(trees?.path ?? '', 0o644);
  fs.truncateSync(trees?.path ?? '', 100);
  store.close();
  store = open();
  await expect(collect(store, { roots: testRoots([live]) })).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
  fs.mkdirSync(store.layout.damaged, { recursive: true });
  fs.renameSync(trees?.path ?? '', join(store.layout.damaged, trees?.name ?? ''));
  await expect(collect(store, { roots: testRoots([live]) })).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
  expect(storeStat(store)).toMatchObject({ blobs: 81 });
});

test('a damaged blob keeps its pack, and goes with it once there is a sound copy', async () => {
  await storeTree(store, { ...version(1, 80), garbage: 'garbage' }, true);
  const live = await storeTree(store, version(1, 80), true);
  damage((await storeBlob(store, 'v1 1', true)).digest, 'blob');
  for (const problems of [1, 0]) {
    const report = await collect(store, { roots: testRoots([live]) });
    expect(report.problems).toHaveLength(problems);
    expect(report.left.blobs).toBe(1);
  }
  expect(() => isComplete(live)).toThrow('is not in the store');
  await storeBlob(store, 'v1 1', true);
  expect(isComplete(live)).toBe(true);
  await collect(store, { roots: testRoots([live]) });
  expect(isComplete(live)).toBe(true);
  expect(storeStat(store)).toMatchObject({ blobs: 80, trees: 4 });
  expect(fs.readdirSync(store.layout.damaged)).toEqual([]);
});

test('what a killed writer left goes', async () => {
  const script = `
    import fs from 'node:fs';
    const [dir, name] = process.argv.slice(1);
    fs.mkdirSync(dir + '/tmp/' + name, { recursive: true });
    fs.writeFileSync(dir + '/tmp/' + name + '/half', 'x');
    fs.mkdirSync(dir + '/leases', { recursive: true });
    fs.writeFileSync(dir + '/leases/' + name, Buffer.alloc(40));
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const tree = await storeTree(store, { a: 'b' });
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, join(dir, 'store'), 'x']);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await collect(store, { roots: testRoots([tree]) });
  expect(fs.readdirSync(store.layout.tmp)).toEqual([]);
  expect(fs.readdirSync(store.layout.leases)).toEqual([]);
});

/** Flips a byte of every copy. */
function damage(digest: Parameters<typeof rawOf>[0], kind: 'blob' | 'tree'): void {
  store.reader.catalog.refresh();
  for (const place of [...store.reader.catalog.places(kind, rawOf(digest))]) {
    const path = place.home === 'pack' ? place.pack.path : place.path;
    const at = place.home === 'pack' ? place.entry.offset + 44 : 0;
    if (place.home === 'loose') expect(path.endsWith(looseName(kind, hexOf(digest)))).toBe(true);
    fs.chmodSync(path, 0o644);
    const fd = fs.openSync(path, 'r+');
    const byte = Buffer.alloc(1);
    fs.readSync(fd, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 1;
    fs.writeSync(fd, byte, 0, 1, at);
    fs.closeSync(fd);
  }
  store.close();
}

test('work that relies on a root keeps it, and gives it free in the end', async () => {
  const root = await storeTree(store, version(1, 80), true);
  await relyOn(store, [root], async () => {
    await collect(store, { roots: testRoots() });
    expect(isComplete(root)).toBe(true);
  });
  expect(await collect(store, { roots: testRoots() })).toMatchObject({ removed: { blobs: 80, trees: 4 } });
  const readOnly = { ...store, files: { ...store.files, mkdirSync: refuse } };
  expect(await relyOn(readOnly, [root], () => 'done')).toBe('done');
});

function refuse(): never {
  throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
}
