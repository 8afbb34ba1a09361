import { compareUtf8 } from '../path.js';
import { MAX_DEPTH, TREE, type TreeNode } from '../tree.js';
import { expectDirectory, invalid, isSplit, partsOfNode } from './listing.js';
import type { TreeEntry } from './merge-entry.js';
import type { ReadNodes, WantedNode } from './merge-trees.js';
import { readEntries } from './read-entries.js';

/** A path that is not what it was. */
export interface Alteration {
  /** Below the root; `''` for the root itself. */
  readonly path: string;
  readonly what: 'changed' | 'removed';
}

/**
 * What of `before` is other or gone in `after`; what was added does not count. An entry that became of another kind has changed, and a directory that is gone is one path. Reads only nodes
 * that differ. Throws what `read` throws, and `ERR_TREE_INVALID`.
 */
export async function findAlterations(
  before: TreeEntry,
  after: TreeEntry | undefined,
  read: ReadNodes,
): Promise<Alteration[]> {
  const found: Alteration[] = [];
  let level: Pair[] = [];
  const compare = (path: string, depth: number, was: TreeEntry, is: TreeEntry | undefined, below: Pair[]): void => {
    if (is === undefined) found.push({ path, what: 'removed' });
    else if (was.kind !== is.kind) found.push({ path, what: 'changed' });
    else if (was.digest === is.digest) return;
    else if (was.kind !== TREE) found.push({ path, what: 'changed' });
    else if (depth > MAX_DEPTH) throw invalid(was.digest, 'it is nested too deep');
    else below.push({ path, depth, was, is });
  };
  compare('', 0, before, after, level);
  while (level.length > 0) {
    const below: Pair[] = [];
    for (const [{ path, depth }, was, is] of await readPairs(level, read)) {
      for (const [name, entry] of was)
        compare(path === '' ? name : `${path}/${name}`, depth + 1, entry, is.get(name), below);
    }
    level = below;
  }
  return found.sort((a, b) => compareUtf8(a.path, b.path));
}

interface Pair {
  readonly path: string;
  readonly depth: number;
  readonly was: TreeEntry;
  readonly is: TreeEntry;
}

type Listing = Map<string, TreeEntry>;

/** The entries of both directories of each pair, without the parts that both have: their names are nowhere else. */
async function readPairs(
  pairs: readonly Pair[],
  read: ReadNodes,
): Promise<(readonly [Pair, was: Listing, is: Listing])[]> {
  const tops = await read(
    pairs.flatMap(({ path, was, is }): WantedNode[] => [
      { side: 'base', path, digest: was.digest },
      { side: 'ours', path, digest: is.digest },
    ]),
  );
  const listed: (readonly [Pair, Listing, Listing])[] = [];
  for (const [i, pair] of pairs.entries()) {
    const [was, is] = [tops[2 * i], tops[2 * i + 1]];
    if (was === undefined || is === undefined) throw invalid(pair.was.digest, 'it was not given');
    expectDirectory(was, pair.was);
    expectDirectory(is, pair.is);
    const common = commonParts(was, is);
    const earlier = await readEntries(read, { side: 'base', path: pair.path }, was, common);
    const later = await readEntries(read, { side: 'ours', path: pair.path }, is, common);
    listed.push([pair, earlier, later]);
  }
  return listed;
}

function commonParts(was: TreeNode, is: TreeNode): ReadonlySet<string> {
  if (!isSplit(was) || !isSplit(is)) return new Set();
  const there = new Set(partsOfNode(is).map(({ digest }) => digest));
  return new Set(partsOfNode(was).flatMap(({ digest }) => (there.has(digest) ? [digest] : [])));
}
