import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { parseRelPath } from '../model/path.js';
import { EXECUTABLE, FILE } from '../model/tree.js';
import { diskTree, writeTree } from '../testing/disk-tree.js';
import { useWorkspace, workspaceAt } from '../testing/workspace.js';
import { pendingOf } from './hash-snapshot.js';
import { look, observe, outIndexPath } from './observe.js';
import { entryPath, KNOWN, type Snapshot, seenDirectory } from './snapshot.js';
import { applyIndex, decodeIndex, encodeIndex, readIndex, WHOLE, writeIndex } from './stat-index.js';

const { workspace, at } = useWorkspace();
const OUT = parseRelPath('out');

/** Digest of what lies in the out, by a look that may use the index. */
async function digest(): Promise<string | undefined> {
  return (await observe(workspace(), OUT, { as: 'out' }))?.root.digest;
}

/** The same without any index. */
async function trueDigest(): Promise<string | undefined> {
  fs.rmSync(outIndexPath(workspace(), OUT), { force: true });
  return digest();
}

/** Files that would be read by a look now. */
async function pending(from = workspace()): Promise<string[]> {
  const { snapshot } = await look(from, OUT, { as: 'out' });
  return snapshot === undefined ? [] : pendingOf(snapshot).map(({ directory, entry }) => entryPath(directory, entry));
}

/** Waits until no file is as young as the clock's grain. */
async function settle(): Promise<void> {
  await new Promise((done) => setTimeout(done, 25));
}

/** Seconds that are not whole, as most files have them. */
const THEN = 1_600_000_000.123;

test('an index gives back what was put in', () => {
  const top = seenDirectory('', ['a', 'd', 'é\n']);
  top.kinds.set([FILE, 3, EXECUTABLE]);
  top.sizes.set([1, 0, 2 ** 40]);
  top.mtimes.set([1.5, 0, -5]);
  top.ctimes.set([2.5, 0, 3]);
  top.inodes.set([2 ** 53 - 1, 0, 7]);
  top.flags.set([KNOWN, 0, KNOWN]);
  top.digests.fill(7);
  top.node = Buffer.alloc(32, 9);
  top.totalFiles = 2;
  top.totalBytes = 5;
  const below = seenDirectory('d', []);
  const snapshot: Snapshot = { shape: 'directory', directories: [top, below] };
  const index = decodeIndex(encodeIndex(snapshot, WHOLE, 1e12, 5), 5);
  expect([...index.directories.values()]).toEqual([top, below]);
  expect(index).toMatchObject({ shape: 'directory', copied: false, partOf: undefined });
  expect(decodeIndex(encodeIndex(snapshot, WHOLE, 1e12, 5), 6).copied).toBe(true);
});

test('nothing is read again while nothing changes', async () => {
  writeTree(at('out'), diskTree({ a: '1', 'd/b': '2', 'd/e/c': '3', empty: null, l: { kind: 'link', target: 'a' } }));
  await settle();
  const first = await digest();
  expect(await pending()).toEqual([]);
  expect((await look(workspace(), OUT, { as: 'out' })).same).toBe(true);
  expect(await digest()).toBe(first);
});

test.each<[string, () => void]>([
  ['other bytes', () => fs.writeFileSync(at('out/d/b'), 'x')],
  ['more bytes', () => fs.appendFileSync(at('out/d/b'), 'x')],
  ['the exec bit', () => fs.chmodSync(at('out/d/b'), 0o755)],
  ['a new file', () => fs.writeFileSync(at('out/d/c'), '')],
  ['a file gone', () => fs.rmSync(at('out/d/b'))],
  ['a new directory', () => fs.mkdirSync(at('out/d/e'))],
  ['a directory gone', () => fs.rmdirSync(at('out/empty'))],
  ['another name', () => fs.renameSync(at('out/d/b'), at('out/d/c'))],
  ['another name of a directory', () => fs.renameSync(at('out/d'), at('out/e'))],
  [
    'a link instead',
    () => {
      fs.rmSync(at('out/d/b'));
      fs.symlinkSync('.', at('out/d/b'));
    },
  ],
  [
    'a directory instead',
    () => {
      fs.rmSync(at('out/d/b'));
      fs.mkdirSync(at('out/d/b'));
    },
  ],
  [
    'the same bytes in another file',
    () => {
      fs.writeFileSync(at('out/d/n'), 'y');
      fs.renameSync(at('out/d/n'), at('out/d/b'));
    },
  ],
  [
    'other bytes under the old time',
    () => {
      fs.writeFileSync(at('out/d/b'), 'x');
      fs.utimesSync(at('out/d/b'), THEN, THEN);
    },
  ],
  [
    'other bytes under a whole second',
    () => {
      fs.utimesSync(at('out/a'), 1_600_000_000, 1_600_000_000);
    },
  ],
])('sees %s', async (_, change) => {
  writeTree(at('out'), diskTree({ a: '1', 'd/b': '2', empty: null }));
  fs.utimesSync(at('out/d/b'), THEN, THEN);
  await settle();
  await digest();
  expect(await pending()).toEqual([]);
  change();
  const seen = await digest();
  expect(seen).toBe(await trueDigest());
});

test('sees a rewrite under the time that the objects of the store have', async () => {
  // Archives that are to be the same every time use such a time too.
  writeTree(at('out'), diskTree({ a: '1' }));
  const seal = new Date(Date.UTC(2000, 0, 1));
  fs.utimesSync(at('out/a'), seal, seal);
  await settle();
  await digest();
  expect(await pending()).toEqual([]);
  fs.writeFileSync(at('out/a'), '2');
  fs.utimesSync(at('out/a'), seal, seal);
  expect(await digest()).toBe(await trueDigest());
});

test('sees a rewrite of the same size in the same moment', async () => {
  writeTree(at('out'), diskTree({ a: '0' }));
  for (let round = 1; round < 60; round++) {
    await digest();
    fs.writeFileSync(at('out/a'), String(round % 10));
    const seen = await digest();
    expect([round, seen]).toEqual([round, await trueDigest()]);
  }
});

test('a young entry is read once more, and then no longer', async () => {
  writeTree(at('out'), diskTree({ a: '1' }));
  // On a busy machine so long can pass before the index is written that the entry is young no more.
  for (let attempt = 0; attempt < 50; attempt++) {
    fs.writeFileSync(at('out/a'), String(attempt));
    await digest();
    if ((await pending()).length > 0) break;
  }
  expect(await pending()).toEqual(['a']);
  await settle();
  await digest();
  expect(await pending()).toEqual([]);
});

test('where a file system keeps whole seconds, a second is young', () => {
  const seen = seenDirectory('', ['exact', 'whole']);
  seen.mtimes.set([5_000, 5_000]);
  seen.ctimes.set([5_000.5, 5_000]);
  seen.flags.fill(KNOWN);
  const now: Snapshot = { shape: 'directory', directories: [seenDirectory('', ['exact', 'whole'])] };
  now.directories[0]?.mtimes.set(seen.mtimes);
  now.directories[0]?.ctimes.set(seen.ctimes);
  const bytes = encodeIndex({ shape: 'directory', directories: [seen] }, WHOLE, 5_900, 1);
  expect(applyIndex(now, decodeIndex(bytes, 1))).toBe(false);
  expect([...(now.directories[0]?.flags ?? [])]).toEqual([KNOWN, 0]);
});

test('a copied workspace is quick, and as exact as a copy can be', async () => {
  writeTree(at('out'), diskTree({ a: '1', 'd/b': '2', whole: '3' }));
  for (const name of ['a', 'd/b']) fs.utimesSync(at('out', name), THEN, THEN);
  fs.utimesSync(at('out/whole'), 1_600_000_000, 1_600_000_000);
  await settle();
  const before = await digest();
  execFileSync('cp', ['-a', at(), at('..', 'copy')]);
  const copy = workspaceAt(at('..', 'copy'));
  // A time without parts of a second may have lost them on the way.
  expect(await pending(copy)).toEqual(['whole']);
  expect((await observe(copy, OUT, { as: 'out' }))?.root.digest).toBe(before);
  await settle();
  expect((await observe(copy, OUT, { as: 'out' }))?.root.digest).toBe(before);
  expect(await pending(copy)).toEqual([]);
  fs.writeFileSync(at('..', 'copy', 'out', 'a'), 'x');
  expect((await observe(copy, OUT, { as: 'out' }))?.root.digest).not.toBe(before);
  copy.store.close();
});

test('a moved workspace reads nothing again', async () => {
  writeTree(at('out'), diskTree({ a: '1', 'd/b': '2' }));
  await settle();
  await digest();
  fs.renameSync(at(), at('..', 'moved'));
  const moved = workspaceAt(at('..', 'moved'));
  expect(await pending(moved)).toEqual([]);
  moved.store.close();
});

test('a damaged index is no index', async () => {
  writeTree(at('out'), diskTree({ a: '1' }));
  await settle();
  const before = await digest();
  const path = outIndexPath(workspace(), OUT);
  const bytes = fs.readFileSync(path);
  for (const position of [0, 4, 5, 8, 16, 24, 28, 60, 92, bytes.length - 1]) {
    const hurt = Buffer.from(bytes);
    hurt[position] = (hurt[position] ?? 0) ^ 1;
    fs.writeFileSync(path, hurt);
    expect([position, readIndex(path)]).toEqual([position, undefined]);
  }
  expect(await digest()).toBe(before);
  expect(readIndex(path)).toBeDefined();
});

test('an index that cannot be written is done without', async () => {
  writeTree(at('out'), diskTree({ a: '1' }));
  workspace();
  fs.rmSync(at('.sluice/index'), { recursive: true, force: true });
  fs.writeFileSync(at('.sluice/index'), '');
  expect(await digest()).toBeDefined();
  const { snapshot } = await look(workspace(), OUT, { as: 'out' });
  if (snapshot === undefined) throw new Error('nothing seen');
  expect(writeIndex(outIndexPath(workspace(), OUT), snapshot, WHOLE)).toBe(false);
});
