import fc from 'fast-check';
import { digestOf } from '../model/digest.js';
import { type FileChange, pairRenames } from '../model/file-change.js';
import { ROOT } from '../model/path.js';
import { pathFilter } from '../model/path-filter.js';
import { storeTree, type TestFiles } from '../testing/store-tree.js';
import { useTempDir } from '../testing/temp-dir.js';
import { diffRoots } from './diff-trees.js';
import { createNodeCheck } from './node-check.js';
import { openStore, type Store } from './store.js';
import type { NodeReader } from './trees.js';

const temp = useTempDir();
let store: Store;
beforeEach(() => {
  store = openStore({ dir: temp('store'), durability: 'none' });
});
afterEach(() => store.close());

async function rootOf(files: TestFiles) {
  const root = await storeTree(store, files, true);
  store.reader.catalog.refresh();
  return root;
}

function short(change: FileChange): string {
  return `${change.change} ${change.path}`;
}

/** Counts nodes that are read. */
function counting(): NodeReader & { readonly reads: () => number } {
  let reads = 0;
  return {
    reads: () => reads,
    read: (kind, raw, rawAt) => {
      reads++;
      return store.reader.read(kind, raw, rawAt);
    },
  };
}

/** Every path is compared with every path. */
function naive(before: TestFiles, after: TestFiles): string[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return paths
    .flatMap((path) => {
      const [was, is] = [before[path], after[path]];
      if (was === is) return [];
      return [`${was === undefined ? 'added' : is === undefined ? 'deleted' : 'modified'} ${path}`];
    })
    .sort();
}

const name = fc.constantFrom('a', 'b', 'c', 'a.b', 'é', '\u{1d11e}');
const files = fc
  .dictionary(
    fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/')),
    fc.constantFrom('1', '2', ''),
    {
      maxKeys: 12,
    },
  )
  // A file cannot lie in a file.
  .map((all) =>
    Object.fromEntries(
      Object.entries(all).filter(([path]) => !Object.keys(all).some((other) => path.startsWith(`${other}/`))),
    ),
  );

test('any two trees differ where their files do', async () => {
  await fc.assert(
    fc.asyncProperty(files, files, async (before, after) => {
      const [old, now] = [await rootOf(before), await rootOf(after)];
      const changes = [...diffRoots({ reader: store.reader }, old, now)];
      expect(changes.map(short).sort()).toEqual(naive(before, after));
      expect([...diffRoots({ reader: store.reader }, undefined, now)].map(short).sort()).toEqual(naive({}, after));
    }),
    { numRuns: 60 },
  );
});

test('one file among 20,000 costs the nodes above it, in a flat directory too', async () => {
  for (const dir of [(i: number) => `f${i}`, (i: number) => `d${i % 40}/e${i % 7}/f${i}`]) {
    const all = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [dir(i), 'x']));
    const [before, after] = [await rootOf(all), await rootOf({ ...all, [dir(777)]: 'y' })];
    const reader = counting();
    expect([...diffRoots({ reader }, before, after)].map(short)).toEqual([`modified ${dir(777)}`]);
    expect(reader.reads()).toBeLessThanOrEqual(6);
    expect([...diffRoots({ reader: counting() }, before, before)]).toEqual([]);
  }
});

test('a filter leaves out what it does not want, without reading it', async () => {
  const [before, after] = [await rootOf({ 'a/b/1': '1', 'c/d/2': '1' }), await rootOf({ 'a/b/1': '2', 'c/d/2': '2' })];
  const reader = counting();
  const filter = pathFilter((path) => path.startsWith('a/'), ['a']);
  expect([...diffRoots({ reader, filter }, before, after)].map(short)).toEqual(['modified a/b/1']);
  expect(reader.reads()).toBe(6);
});

test('kinds count, and a root may be a file', async () => {
  const blob = { kind: 'blob', digest: digestOf('x'), exec: false, files: 1, bytes: 1 } as const;
  const tree = await rootOf({ a: '1' });
  const diff = (...roots: Parameters<typeof diffRoots> extends [unknown, ...infer R] ? R : never) =>
    [...diffRoots({ reader: store.reader }, ...roots)].map(short);
  expect(diff(blob, { ...blob, exec: true })).toEqual(['modified ']);
  expect(diff(blob, blob)).toEqual([]);
  expect(diff(blob, tree)).toEqual([`deleted ${ROOT}`, 'added a']);
  expect(diff(tree, undefined)).toEqual(['deleted a']);
});

test('a rename is the same bytes under another path; empty files are no renames', () => {
  const state = (text: string) => ({ kind: 'file', digest: digestOf(text), bytes: text.length }) as const;
  const changes: FileChange[] = [
    { change: 'deleted', path: 'b', before: state('x') },
    { change: 'deleted', path: 'a', before: state('x') },
    { change: 'deleted', path: 'e', before: state('') },
    { change: 'added', path: 'd', after: state('x') },
    { change: 'added', path: 'f', after: state('') },
    { change: 'added', path: 'c', after: state('y') },
  ];
  expect(
    pairRenames(changes).map((change) => ('from' in change ? `${change.from} -> ${change.path}` : short(change))),
  ).toEqual(['deleted a', 'added c', 'b -> d', 'deleted e', 'added f']);
});

test('whether all nodes are here is found out once for each subtree', async () => {
  const all = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`d${i % 20}/f${i}`, 'x']));
  const roots = [await rootOf(all), await rootOf({ ...all, 'd3/new': 'y' })];
  const hasNodes = createNodeCheck(store.reader);
  expect(roots.map((root) => hasNodes(root))).toEqual([true, true]);
  const other = openStore({ dir: temp('other'), durability: 'none' });
  expect(createNodeCheck(other.reader)(roots[0] ?? (await rootOf({})))).toBe(false);
  other.close();
});
