import fs from 'node:fs';
import fc from 'fast-check';
import { digestOf, hexOf } from '../model/digest.js';
import { parseRelPath, type RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { realFiles } from '../store/files.js';
import { looseName } from '../store/layout.js';
import { listNames } from '../store/lease.js';
import { anyDiskTree, type DiskEntry, type DiskTree, diskTree, readTree, writeTree } from '../testing/disk-tree.js';
import { failingFiles } from '../testing/failing-files.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { storeOut, useWorkspace } from '../testing/workspace.js';
import { createBulk } from './bulk.js';
import { type CheckoutCount, type CheckoutOptions, checkoutOut, checkoutPart } from './checkout-out.js';
import { pendingOf } from './hash-snapshot.js';
import { look, type Observed, observe } from './observe.js';

const { workspace, at } = useWorkspace();
const OUT = parseRelPath('p/out');
const COPY: CheckoutOptions = { how: ['copy'], readOnly: false };

/** Makes a tree, brings it into the store and returns its root. It stays in the place of the out. */
async function stored(tree: DiskTree, path = OUT): Promise<OutRoot> {
  writeTree(at(path), tree);
  return storeOut(workspace(), path);
}

function seen(path: RelPath = OUT): Promise<Observed | undefined> {
  return observe(workspace(), path, { as: 'out' });
}

async function checkout(root: OutRoot, options = COPY): Promise<CheckoutCount> {
  return checkoutOut(workspace(), OUT, root, (await seen())?.snapshot, options);
}

async function part(root: OutRoot, filter: (path: string) => boolean): Promise<CheckoutCount> {
  return checkoutPart(workspace(), OUT, root, (await seen())?.snapshot, filter, COPY);
}

function remove(): void {
  fs.rmSync(at(OUT), { recursive: true, force: true });
}

/** Unfinished moves; there are none but while an out is replaced. */
function leftovers(): string[] {
  return listNames(realFiles, at('.sluice/moves'));
}

async function settle(): Promise<void> {
  await new Promise((done) => setTimeout(done, 25));
}

async function pendingCount(): Promise<number> {
  const { snapshot } = await look(workspace(), OUT, { as: 'out' });
  return snapshot === undefined ? 0 : pendingOf(snapshot).length;
}

/** The machine may have much else to do. */
const LONG = 600_000;

const LARGE = 'large '.repeat(20_000);

/** A tree large enough that a few changes are few. */
const MANY = diskTree({
  ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i % 4}/f${i}`, `content ${i}`])),
  'd0/e/deep': 'deep',
  large: LARGE,
  run: { kind: 'exec', content: '#!' },
  'd1/up': { kind: 'link', target: '../run' },
});

function changed(changes: Parameters<typeof diskTree>[0], gone: readonly string[] = []): DiskTree {
  const tree = new Map([...MANY, ...diskTree(changes)]);
  for (const path of gone) tree.delete(path);
  return new Map([...tree].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

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

describe('hard links', () => {
  const STRICT: CheckoutOptions = { how: ['hardlink', 'copy'], readOnly: true };
  const object = (): string => at('.sluice/objects', looseName('blob', hexOf(digestOf(LARGE))));

  test('large files are the objects themselves, read-only; small ones and executables are copies', async () => {
    const root = await stored(MANY);
    remove();
    await checkout(root, STRICT);
    expect(fs.statSync(at(OUT, 'large')).ino).toBe(fs.statSync(object()).ino);
    expect(fs.statSync(at(OUT, 'large')).mode & 0o222).toBe(0);
    expect(fs.statSync(at(OUT, 'd0/f0')).mode & 0o222).toBe(0);
    expect(fs.statSync(at(OUT, 'run')).mode & 0o333).toBe(0o111);
    expect((await seen())?.root).toEqual(root);
  });

  test('one more link elsewhere does not make them be read again', async () => {
    const root = await stored(MANY);
    remove();
    await settle();
    await checkout(root, STRICT);
    await settle();
    await seen();
    fs.linkSync(object(), at('p/another'));
    expect(await pendingCount()).toBe(0);
  });

  test('writing through one is seen, and the object is not served again', async () => {
    const root = await stored(MANY);
    remove();
    await checkout(root, STRICT);
    await settle();
    await seen();
    fs.chmodSync(at(OUT, 'large'), 0o644);
    const fd = fs.openSync(at(OUT, 'large'), 'r+');
    fs.writeSync(fd, 'EDITED', 0);
    fs.closeSync(fd);
    expect((await seen())?.root.digest).not.toBe(root.digest);
    remove();
    await expect(checkout(root, STRICT)).rejects.toMatchObject({ code: 'ERR_OBJECT_DAMAGED' });
    expect(fs.existsSync(at(OUT))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test.each(['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP'])('where one is refused with %s, a copy is made', async (code) => {
    const root = await stored(MANY);
    remove();
    const refuse = (): never => {
      throw Object.assign(new Error(code), { code });
    };
    const files = { ...realFiles, linkSync: refuse, copyFileSync: refuse };
    const other = { ...workspace(), bulk: createBulk(files, undefined, 0) };
    await checkoutOut(other, OUT, root, undefined, { how: ['hardlink', 'reflink', 'copy'], readOnly: true });
    expect(fs.statSync(at(OUT, 'large')).nlink).toBe(1);
    expect(fs.statSync(at(OUT, 'large')).mode & 0o222).toBe(0);
    expect(readTree(at(OUT))).toEqual(MANY);
  });
});

describe('a part', () => {
  const inD0 = (path: string): boolean => path.startsWith('d0/');

  test('is put in place, and known to be a part', async () => {
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    expect([...readTree(at(OUT)).keys()].every((path) => path === 'd0' || inD0(path))).toBe(true);
    expect((await seen())?.partOf).toBe(root.digest);
    // A look that reads nothing, and one that reads all, say the same.
    await settle();
    expect((await seen())?.partOf).toBe(root.digest);
  });

  test('grows until it is whole', async () => {
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    await part(root, (path) => path === 'd1/up');
    expect((await seen())?.partOf).toBe(root.digest);
    expect(fs.existsSync(at(OUT, 'd0/f0'))).toBe(true);
    const { unchanged } = await part(root, () => true);
    expect(unchanged).toBeGreaterThan(0);
    expect(await seen()).toMatchObject({ root, partOf: undefined });
    expect(readTree(at(OUT))).toEqual(MANY);
  });

  test('that was edited is no part any more', async () => {
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    fs.writeFileSync(at(OUT, 'd0/f0'), 'by hand');
    expect((await seen())?.partOf).toBeUndefined();
  });

  test('of another version follows it', async () => {
    const next = await stored(changed({ 'd0/f0': 'new' }, ['d0/f4']));
    const root = await stored(MANY);
    remove();
    await part(root, inD0);
    await part(next, (path) => path === 'd1/f1');
    expect((await seen())?.partOf).toBe(next.digest);
    // What is no longer so goes, and comes back when somebody wants it.
    expect(['d0/f0', 'd0/f4', 'd0/f8'].map((path) => fs.existsSync(at(OUT, path)))).toEqual([false, false, true]);
    expect(fs.existsSync(at(OUT, 'd1/f1'))).toBe(true);
  });

  test('of a root whose other bytes are nowhere', async () => {
    const root = await stored(diskTree({ 'a/x': LARGE, b: 'b' }));
    remove();
    fs.rmSync(at('.sluice/objects', looseName('blob', hexOf(digestOf(LARGE)))));
    await part(root, (path) => path === 'b');
    expect(readTree(at(OUT))).toEqual(diskTree({ b: 'b' }));
    await expect(part(root, () => true)).rejects.toMatchObject({ code: 'ERR_OBJECT_MISSING' });
    expect((await seen())?.partOf).toBe(root.digest);
    expect(leftovers()).toEqual([]);
  });
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

describe('what goes wrong', () => {
  test('a missing object leaves the out as it was', async () => {
    const root = await stored(diskTree({ a: LARGE, b: 'b' }));
    const old = diskTree({ old: 'old' });
    await stored(old);
    fs.rmSync(at('.sluice/objects', looseName('blob', hexOf(digestOf(LARGE)))));
    await expect(checkout(root)).rejects.toMatchObject({ code: 'ERR_OBJECT_MISSING' });
    expect(readTree(at(OUT))).toEqual(old);
    expect(leftovers()).toEqual([]);
  });

  test('an abort leaves the out as it was', async () => {
    const root = await stored(MANY);
    const old = diskTree({ old: 'old' });
    await stored(old);
    await expect(checkout(root, { ...COPY, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_INTERRUPTED',
    });
    expect(readTree(at(OUT))).toEqual(old);
    expect(leftovers()).toEqual([]);
  });

  test.each(['ENOSPC', 'EIO'])('%s at any call leaves the out as it was', async (code) => {
    const root = await stored(diskTree({ a: LARGE, b: 'b', 'd/c': 'c', l: { kind: 'link', target: 'b' } }));
    const old = diskTree({ old: 'old' });
    await stored(old);
    const { snapshot } = (await seen()) ?? {};
    const faulty = failingFiles();
    const other = { ...workspace(), bulk: createBulk(faulty.files, undefined, 0) };
    const codes = new Set<unknown>();
    for (let k = 1; ; k++) {
      faulty.failAt(k, false, code);
      const error: unknown = await checkoutOut(other, OUT, root, snapshot, COPY).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (!faulty.hasFailed()) break;
      if (error === undefined) {
        // It could do without the call.
        await stored(old);
        continue;
      }
      codes.add(error instanceof Error && 'code' in error ? error.code : error);
      expect([k, readTree(at(OUT))]).toEqual([k, old]);
      expect(leftovers()).toEqual([]);
    }
    expect([...codes]).toEqual([code === 'ENOSPC' ? 'ERR_DISK_FULL' : 'ERR_IO']);
  });

  test('a tree that says other sizes than its lock or its objects is refused', async () => {
    const root = await stored(diskTree({ a: 'a' }));
    remove();
    for (const wrong of [
      { ...root, bytes: 5 },
      { ...root, files: 2 },
    ]) {
      await expect(checkout(wrong)).rejects.toMatchObject({ code: 'ERR_TREE_INVALID' });
    }
    fs.writeFileSync(at(OUT), 'file');
    const single = await storeOut(workspace(), OUT);
    remove();
    await expect(checkout({ ...single, bytes: 5 })).rejects.toMatchObject({ code: 'ERR_TREE_INVALID' });
    expect(fs.existsSync(at(OUT))).toBe(false);
  });
});
