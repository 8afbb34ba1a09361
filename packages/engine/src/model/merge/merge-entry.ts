import type { Digest } from '../digest.js';
import type { OutRoot } from '../root.js';
import { EXECUTABLE, FILE, TREE } from '../tree.js';

/** The two sides of a merge and what both come from; `undefined` where a side has nothing. */
export interface Sides<T> {
  readonly base: T | undefined;
  readonly ours: T | undefined;
  readonly theirs: T | undefined;
}

/** What stands at one path of a tree: its kind as in a node, digest, bytes and files of it or below it. */
export interface TreeEntry {
  readonly kind: number;
  readonly digest: Digest;
  readonly size: number;
  readonly files: number;
}

/**
 * Why a path cannot be merged: both sides added it, or changed it, each differently; or one side (ours is named first) removed what the other changed.
 * A change is one of digest, kind or executable bit.
 */
export const CONFLICT_CLASSES = ['both-added', 'both-changed', 'removed-changed', 'changed-removed'] as const;

/** One of {@link CONFLICT_CLASSES}. */
export type ConflictClass = (typeof CONFLICT_CLASSES)[number];

/** What becomes of one path. `descend`: both sides are directories now, or one is and the other removed it, so each path below is decided by itself. */
export type MergeChoice =
  | { readonly kind: 'take'; readonly entry: TreeEntry | undefined }
  | { readonly kind: 'descend' }
  | { readonly kind: 'conflict'; readonly class: ConflictClass };

/** Decides about one path, whatever lies below it. */
export function mergeEntry({ base, ours, theirs }: Sides<TreeEntry>): MergeChoice {
  if (isSame(ours, theirs) || isSame(base, theirs)) return { kind: 'take', entry: ours };
  if (isSame(base, ours)) return { kind: 'take', entry: theirs };
  const bothTrees = ours?.kind === TREE && theirs?.kind === TREE;
  const oneRemoved =
    base?.kind === TREE && (ours ?? theirs)?.kind === TREE && (ours === undefined || theirs === undefined);
  if (bothTrees || oneRemoved) return { kind: 'descend' };
  if (base === undefined) return { kind: 'conflict', class: 'both-added' };
  if (ours === undefined) return { kind: 'conflict', class: 'removed-changed' };
  return { kind: 'conflict', class: theirs === undefined ? 'changed-removed' : 'both-changed' };
}

/** The root of an out as an entry. */
export function entryOfRoot(root: OutRoot): TreeEntry {
  const kind = root.kind === 'tree' ? TREE : root.exec ? EXECUTABLE : FILE;
  return { kind, digest: root.digest, size: root.bytes, files: root.files };
}

/** The root of an out that an entry stands for; an out cannot be a link. */
export function rootOfEntry({ kind, digest, size, files }: TreeEntry): OutRoot {
  return { kind: kind === TREE ? 'tree' : 'blob', digest, exec: kind === EXECUTABLE, files, bytes: size };
}

function isSame(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.kind === b.kind && a.digest === b.digest;
}
