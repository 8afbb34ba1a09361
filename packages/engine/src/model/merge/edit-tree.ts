import { digestFromRaw } from '../digest.js';
import { compareUtf8 } from '../path.js';
import { type EncodedNode, encodeDirectory } from '../split.js';
import { MAX_DEPTH, TREE } from '../tree.js';
import { columnsOf, expectDirectory, invalid } from './listing.js';
import type { TreeEntry } from './merge-entry.js';
import type { ReadNodes } from './merge-trees.js';
import { readEntries } from './read-entries.js';

/** What is to stand at paths below a root; `undefined` for nothing. No path lies inside another. */
export type TreeEdits = ReadonlyMap<string, TreeEntry | undefined>;

/**
 * Puts entries in their places in a tree. Directories that are missing on the way are made, those that lose their last entry go. Reads the directories on the way and no
 * others; `emit` gets the nodes that are new. Throws what `read` throws, and `ERR_TREE_INVALID`.
 */
export async function editTree(
  root: TreeEntry | undefined,
  edits: TreeEdits,
  read: ReadNodes,
  emit: (node: EncodedNode) => void,
): Promise<TreeEntry | undefined> {
  if (edits.has('')) return edits.get('');
  return await editBelow({ path: '', depth: 0, entry: root, edits, read, emit });
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly entry: TreeEntry | undefined;
  /** By their paths below this place. */
  readonly edits: TreeEdits;
  readonly read: ReadNodes;
  readonly emit: (node: EncodedNode) => void;
}

async function editBelow({ path, depth, entry, edits, read, emit }: Place): Promise<TreeEntry | undefined> {
  if (depth > MAX_DEPTH) throw invalid(entry?.digest ?? digestFromRaw(Buffer.alloc(32)), 'it is nested too deep');
  const entries = entry?.kind === TREE ? await entriesOf(read, path, entry) : new Map<string, TreeEntry>();
  const inner = new Map<string, Map<string, TreeEntry | undefined>>();
  for (const [at, edit] of edits) {
    const slash = at.indexOf('/');
    if (slash < 0) setEntry(entries, at, edit);
    else {
      const name = at.slice(0, slash);
      inner.set(name, (inner.get(name) ?? new Map()).set(at.slice(slash + 1), edit));
    }
  }
  for (const [name, below] of inner) {
    const child = path === '' ? name : `${path}/${name}`;
    setEntry(
      entries,
      name,
      await editBelow({ path: child, depth: depth + 1, entry: entries.get(name), edits: below, read, emit }),
    );
  }
  // The root of an out stays a directory; below it, one without entries is nobody's.
  if (entries.size === 0 && path !== '') return undefined;
  const { top, parts, files, bytes } = encodeDirectory(columnsOf([...entries].sort(([a], [b]) => compareUtf8(a, b))));
  for (const part of parts) emit(part);
  emit(top);
  return { kind: TREE, digest: digestFromRaw(top.raw), size: bytes, files };
}

function setEntry(entries: Map<string, TreeEntry>, name: string, entry: TreeEntry | undefined): void {
  if (entry === undefined) entries.delete(name);
  else entries.set(name, entry);
}

/** All entries of a directory, split or not. */
async function entriesOf(read: ReadNodes, path: string, entry: TreeEntry): Promise<Map<string, TreeEntry>> {
  const place = { side: 'ours', path } as const;
  const [top] = await read([{ ...place, digest: entry.digest }]);
  if (top === undefined) throw invalid(entry.digest, 'it was not given');
  expectDirectory(top, entry);
  return await readEntries(read, place, top);
}
