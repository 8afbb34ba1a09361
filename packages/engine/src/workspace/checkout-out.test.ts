import fs from 'node:fs';
import fc from 'fast-check';
import { changed, MANY, OUT, settle, useCheckouts } from '../testing/checkouts.js';
import { anyDiskTree, type DiskEntry, diskTree, readTree } from '../testing/disk-tree.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { storeOut } from '../testing/workspace.js';

const { workspace, at, stored, seen, checkout, remove, leftovers, pendingCount } = useCheckouts();

/** The machine may have much else to do. */
const LONG = 600_000;

test(
  'any tree comes back as it was, and is known without reading it',
  async () => {
    await fc.assert(
      fc.asyncProperty(anyDiskTree, async (tree) => {
        const root = await stored(tree);
        remove();
        await checkout(root);
        expect(readTree(at(OUT))).toEqual(tree);
        expect((await seen())?.root).toEqual(root);
        expect(leftovers()).toEqual([]);
      }),
      fuzzRuns(25, 0.05),
    );
  },
  LONG,
);

test(
  'from any tree to any other',
  async () => {
    await fc.assert(
      fc.asyncProperty(anyDiskTree, anyDiskTree, async (before, after) => {
        const root = await stored(after);
        await stored(before);
        await checkout(root);
        expect(readTree(at(OUT))).toEqual(after);
        expect((await seen())?.root).toEqual(root);
      }),
      fuzzRuns(20, 0.05),
    );
  },
  LONG,
);

test(
  'few changes of many files are made one by one, and end the same',
  async () => {
    const edit = fc.oneof(
      fc.record({
        do: fc.constant('put' as const),
        path: fc.constantFrom('d0/f0', 'd1/f5', 'd9/new', 'new', 'run', 'd0/e/x/y'),
      }),
      fc.record({ do: fc.constant('link' as const), path: fc.constantFrom('d0/f4', 'd2/l', 'd2/deep/l') }),
      fc.record({ do: fc.constant('exec' as const), path: fc.constantFrom('d0/f8', 'd3/f7') }),
      fc.record({ do: fc.constant('remove' as const), path: fc.constantFrom('d0/f12', 'd0/e/deep', 'd1/up', 'large') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(edit, { selector: ({ path }) => path, maxLength: 5 }), async (edits) => {
        const notes: Record<string, string | DiskEntry> = {};
        for (const { do: what, path } of edits) {
          const target = `${'../'.repeat(path.split('/').length - 1)}run`;
          if (what === 'put') notes[path] = `new ${path}`;
          if (what === 'link') notes[path] = { kind: 'link', target };
          if (what === 'exec') notes[path] = { kind: 'exec', content: 'x' };
        }
        const wanted = changed(
          notes,
          edits.flatMap(({ do: what, path }) => (what === 'remove' ? [path] : [])),
        );
        const root = await stored(wanted);
        await stored(MANY);
        const inode = fs.statSync(at(OUT)).ino;
        const count = await checkout(root);
        // The directory itself is the same one: it was not replaced.
        expect(fs.statSync(at(OUT)).ino).toBe(inode);
        expect(count.written).toBe(Object.keys(notes).length);
        expect(readTree(at(OUT))).toEqual(wanted);
        expect((await seen())?.root).toEqual(root);
        expect(leftovers()).toEqual([]);
      }),
      fuzzRuns(10, 0.05),
    );
  },
  LONG,
);

test('what a checkout made is not read again', async () => {
  const root = await stored(changed({ 'd0/f0': 'new' }));
  await stored(MANY);
  await settle();
  await seen();
  await checkout(root);
  await settle();
  await seen();
  expect(await pendingCount()).toBe(0);
  remove();
  await settle();
  await checkout(root);
  await settle();
  await seen();
  expect(await pendingCount()).toBe(0);
});

test('a file becomes a directory, and a directory a file', async () => {
  const file = await stored(diskTree({ x: 'file', 'y/z': 'in a directory' }));
  const directory = await stored(diskTree({ 'x/inner': 'file', y: 'y' }));
  await checkout(file);
  expect(readTree(at(OUT))).toEqual(diskTree({ x: 'file', 'y/z': 'in a directory' }));
  await checkout(directory);
  expect(readTree(at(OUT))).toEqual(diskTree({ 'x/inner': 'file', y: 'y' }));

  remove();
  fs.writeFileSync(at(OUT), 'only a file', { mode: 0o755 });
  const single = await storeOut(workspace(), OUT);
  await checkout(directory);
  expect(readTree(at(OUT))).toEqual(diskTree({ 'x/inner': 'file', y: 'y' }));
  await checkout(single);
  expect(fs.readFileSync(at(OUT), 'utf8')).toBe('only a file');
  expect(fs.statSync(at(OUT)).mode & 0o100).toBe(0o100);
  expect((await seen())?.root).toEqual(single);
});

test('files are private copies: writing into them touches no object', async () => {
  const root = await stored(MANY);
  remove();
  await checkout(root, { how: ['reflink', 'copy'], readOnly: false });
  fs.appendFileSync(at(OUT, 'large'), 'x');
  fs.writeFileSync(at(OUT, 'd0/f0'), 'x');
  remove();
  await checkout(root);
  expect(readTree(at(OUT))).toEqual(MANY);
});

describe('what .sluiceignore names', () => {
  test('stays when the out is replaced', async () => {
    fs.mkdirSync(at('p'), { recursive: true });
    fs.writeFileSync(at('.sluiceignore'), '*.tmp\ncache/\n');
    const next = await stored(diskTree({ 'd/a': 'new' }));
    await stored(diskTree({ 'd/a': 'a', 'd/b': 'b' }));
    for (const below of ['x.tmp', 'd/y.tmp', 'cache/z']) {
      fs.mkdirSync(at(OUT, below, '..'), { recursive: true });
      fs.writeFileSync(at(OUT, below), below);
    }
    await checkout(next);
    const tree = diskTree({ 'd/a': 'new', 'x.tmp': 'x.tmp', 'd/y.tmp': 'd/y.tmp', 'cache/z': 'cache/z' });
    expect(readTree(at(OUT))).toEqual(tree);
    expect(leftovers()).toEqual([]);
  });

  test('does not matter to an out that is a single file', async () => {
    fs.mkdirSync(at('p'), { recursive: true });
    fs.writeFileSync(at('.sluiceignore'), '*.tmp\n');
    const directory = await stored(diskTree({ a: 'a' }));
    remove();
    fs.writeFileSync(at(OUT), 'new');
    const next = await storeOut(workspace(), OUT);
    fs.writeFileSync(at(OUT), 'old');
    await storeOut(workspace(), OUT);
    await checkout(next);
    expect(fs.readFileSync(at(OUT), 'utf8')).toBe('new');
    await checkout(directory);
    expect(readTree(at(OUT))).toEqual(diskTree({ a: 'a' }));
    fs.writeFileSync(at(OUT, 'x.tmp'), 'mine');
    await expect(checkout(next)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
    expect(readTree(at(OUT))).toEqual(diskTree({ a: 'a', 'x.tmp': 'mine' }));
  });

  test('is not destroyed when a file takes the place of its directory', async () => {
    fs.mkdirSync(at('p'), { recursive: true });
    fs.writeFileSync(at('.sluiceignore'), '*.tmp\n');
    const next = await stored(diskTree({ d: 'now a file' }));
    await stored(diskTree({ 'd/a': 'a' }));
    fs.writeFileSync(at(OUT, 'd/mine.tmp'), 'mine');
    await expect(checkout(next)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
    expect(readTree(at(OUT))).toEqual(diskTree({ 'd/a': 'a', 'd/mine.tmp': 'mine' }));
    expect(leftovers()).toEqual([]);
  });
});
