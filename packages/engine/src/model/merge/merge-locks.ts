import type { Digest } from '../digest.js';
import type { LockedStage, MergedLock } from '../lock.js';
import { type LockConflict, sortConflicts } from '../lock-conflicts.js';
import { partKey } from '../parts.js';
import { compareUtf8, parseRelPath, type RelPath } from '../path.js';
import { type OutRoot, sameRoot } from '../root.js';
import { type ConflictClass, entryOfRoot, mergeEntry, rootOfEntry, type Sides, type TreeEntry } from './merge-entry.js';
import type { MergedTree } from './merge-trees.js';

/** An out that both sides changed. */
export interface OutMerge {
  readonly target: string;
  readonly out: RelPath;
  readonly sides: Sides<TreeEntry>;
}

/** Merges the inside of an out, or says which tree node cannot be had. */
export type MergeOut = (out: OutMerge) => Promise<MergedTree | { readonly missing: Digest }>;

/** What can be a side of a merge: a lock without conflicts. */
type SideLock = { readonly stages: ReadonlyMap<string, LockedStage> };

/** With more conflicts than this an out is one conflict: a choice of each is nobody's to make, and the lock is to stay readable. */
const MOST_CONFLICTS = 1000;

/**
 * Merges the locks of two sides, stage by stage and out by out. What only one side changed is taken from it as it is. A stage that both changed, and that has
 * a command, is marked as merged: no run made what its outs are now.
 */
export async function mergeLocks(
  { base, ours, theirs }: Record<keyof Sides<unknown>, SideLock>,
  mergeOut: MergeOut,
): Promise<MergedLock> {
  const stages = new Map<string, LockedStage>();
  const conflicts: LockConflict[] = [];
  const targets = new Set([...ours.stages.keys(), ...theirs.stages.keys()]);
  for (const target of [...targets].sort(compareUtf8)) {
    const sides = { base: base.stages.get(target), ours: ours.stages.get(target), theirs: theirs.stages.get(target) };
    const stage = await mergeStage(target, sides, mergeOut, conflicts);
    if (stage !== undefined) stages.set(target, stage);
  }
  return { stages, conflicts: sortConflicts(conflicts) };
}

async function mergeStage(
  target: string,
  sides: Sides<LockedStage>,
  mergeOut: MergeOut,
  conflicts: LockConflict[],
): Promise<LockedStage | undefined> {
  const { base, ours, theirs } = sides;
  if (sameStage(ours, theirs) || sameStage(base, theirs)) return ours;
  if (sameStage(base, ours)) return theirs;
  const outs = new Map<RelPath, OutRoot>();
  const paths = new Set([...(ours?.outs.keys() ?? []), ...(theirs?.outs.keys() ?? [])]);
  for (const out of [...paths].sort(compareUtf8)) {
    const entries = mapSides(sides, (stage) => rootAt(stage, out));
    const { entry, found } = await mergeOneOut({ target, out, sides: entries }, mergeOut);
    conflicts.push(...found);
    if (entry !== undefined) outs.set(out, rootOfEntry(entry));
  }
  // A stage that one side removed stays only for what the other side changed.
  const isGone = (ours === undefined || theirs === undefined) && outs.size === 0;
  if (isGone && !conflicts.some((conflict) => conflict.target === target)) return undefined;
  const isResult = [ours, theirs].some((stage) => stage?.fingerprint !== undefined || stage?.merged === true);
  return { fingerprint: undefined, parts: [], outs, ...(isResult ? { merged: true } : {}) };
}

/** Merges one out, whichever way its sides differ: its entry, and what could not be decided. */
export async function mergeOneOut(
  wanted: OutMerge,
  mergeOut: MergeOut,
): Promise<{ readonly entry: TreeEntry | undefined; readonly found: readonly LockConflict[] }> {
  const { target, out, sides } = wanted;
  const { base, ours, theirs } = sides;
  const whole = (name: ConflictClass): LockConflict => ({ target, out, path: parseRelPath(''), class: name, ...sides });
  const choice = mergeEntry(sides);
  if (choice.kind === 'take') return { entry: choice.entry, found: [] };
  if (choice.kind === 'conflict') return { entry: ours, found: [whole(choice.class)] };
  // Who took a whole out away did not mean each of its files.
  if (ours === undefined) return { entry: ours, found: [whole('removed-changed')] };
  if (theirs === undefined) return { entry: ours, found: [whole('changed-removed')] };
  const both: ConflictClass = base === undefined ? 'both-added' : 'both-changed';
  const merged = await mergeOut(wanted);
  if ('missing' in merged) return { entry: ours, found: [{ ...whole(both), missing: merged.missing }] };
  if (merged.conflicts.length > MOST_CONFLICTS) return { entry: ours, found: [whole(both)] };
  return {
    entry: merged.entry,
    found: merged.conflicts.map(({ path, ...conflict }) => ({ target, out, path: parseRelPath(path), ...conflict })),
  };
}

function rootAt(stage: LockedStage, out: RelPath): TreeEntry | undefined {
  const root = stage.outs.get(out);
  return root === undefined ? undefined : entryOfRoot(root);
}

function mapSides<A, B>(sides: Sides<A>, map: (side: A) => B | undefined): Sides<B> {
  const of = (side: A | undefined): B | undefined => (side === undefined ? undefined : map(side));
  return { base: of(sides.base), ours: of(sides.ours), theirs: of(sides.theirs) };
}

/** Whether two entries of a stage say the same. */
export function sameStage(a: LockedStage | undefined, b: LockedStage | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.fingerprint !== b.fingerprint || a.merged !== b.merged || a.outs.size !== b.outs.size) return false;
  const via = ({ parts }: LockedStage): string => parts.map((part) => `${partKey(part)} ${part.via ?? ''}`).join('\n');
  return via(a) === via(b) && [...a.outs].every(([path, root]) => sameRoot(root, b.outs.get(path)));
}
