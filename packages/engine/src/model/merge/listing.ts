import { SluiceError } from '../../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../digest.js';
import { type Entries, PART, SPLIT, type TreeNode } from '../tree.js';
import type { TreeEntry } from './merge-entry.js';

/** A part of a split directory as the node above it names it. */
export interface ListedPart extends TreeEntry {
  /** Its first name. */
  readonly first: string;
  /** How many entries it holds. */
  readonly count: number;
}

/** The entries of a node by their names, in its order. */
export function entriesOfNode(node: Entries): Map<string, TreeEntry> {
  return new Map(node.names.map((name, i) => [name, entryAt(node, i)]));
}

/** The parts that a split directory's node names. */
export function partsOfNode(node: TreeNode): ListedPart[] {
  return node.names.map((first, i) => ({ ...entryAt(node, i), first, count: node.counts[i] ?? 0 }));
}

/** Columns of entries that are given in the order of their names. */
export function columnsOf(entries: readonly (readonly [name: string, entry: TreeEntry])[]): Entries {
  const kinds = new Uint8Array(entries.length);
  const sizes = new Float64Array(entries.length);
  const files = new Float64Array(entries.length);
  const digests = Buffer.alloc(entries.length * RAW_DIGEST_BYTES);
  entries.forEach(([, entry], i) => {
    kinds[i] = entry.kind;
    sizes[i] = entry.size;
    files[i] = entry.files;
    rawOf(entry.digest).copy(digests, i * RAW_DIGEST_BYTES);
  });
  return { names: entries.map(([name]) => name), kinds, sizes, files, digests };
}

/** Refuses a node that is not the directory which the node above names. Throws `ERR_TREE_INVALID`. */
export function expectDirectory(node: TreeNode, named: TreeEntry): void {
  if (node.shape === PART) throw invalid(named.digest, 'a part stands where a directory is expected');
  expectSums(node, named);
}

/** Refuses a node that is not the part which its directory names. Throws `ERR_TREE_INVALID`. */
export function expectPart(node: TreeNode, named: ListedPart): void {
  const fits = node.shape === PART && node.names.length === named.count && node.names[0] === named.first;
  if (!fits) throw invalid(named.digest, 'a part is not the one that its directory names');
  expectSums(node, named);
}

/** Whether the entries of a directory lie in parts. */
export function isSplit(node: TreeNode): boolean {
  return node.shape === SPLIT;
}

/** The error for a tree that cannot be what it is said to be. */
export function invalid(digest: Digest, problem: string): SluiceError {
  return new SluiceError('ERR_TREE_INVALID', `tree ${shortDigest(digest)} is damaged: ${problem}`);
}

function expectSums(node: TreeNode, named: TreeEntry): void {
  if (node.totalFiles === named.files && node.totalBytes === named.size) return;
  throw invalid(named.digest, 'its sums are not those that the tree above it says');
}

function entryAt(node: Entries, i: number): TreeEntry {
  return {
    kind: node.kinds[i] ?? 0,
    digest: digestFromRaw(node.digests, i * RAW_DIGEST_BYTES),
    size: node.sizes[i] ?? 0,
    files: node.files[i] ?? 0,
  };
}
