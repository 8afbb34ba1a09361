import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { hexOf } from '../model/digest.js';
import { type MergedLock, parseMergedLock, printLock } from '../model/lock.js';
import type { LockConflict } from '../model/lock-conflicts.js';
import { editTree } from '../model/merge/edit-tree.js';
import { entryOfRoot, rootOfEntry, type TreeEntry } from '../model/merge/merge-entry.js';
import { mergeOneOut } from '../model/merge/merge-locks.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { EncodedNode } from '../model/split.js';
import { lockPath, withLockFile } from '../stage/lock-file.js';
import { type Stage, stageName } from '../stage/stage.js';
import type { OperationContext } from './context.js';
import { conflictReport, outMerger } from './merge-locks.js';
import { NodeMissing, nodeReader } from './merge-nodes.js';
import type { ConflictReport, ResolveReport } from './reports.js';
import type { Selected } from './select.js';

/** Which side a conflict gets. */
export type ResolveSide = 'ours' | 'theirs';

/** The conflicts that the lock of a stage's project holds; `undefined` for a lock without conflicts, or one that `parseLock` tells about. */
export function conflictsInLock(context: OperationContext, stage: Stage): ConflictReport[] | undefined {
  try {
    context.readLock(stage.projectRoot);
    return undefined;
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_LOCK_CONFLICT') throw error;
    const conflicts = readMergedLock(context.workspace.root, stage.projectRoot)?.conflicts ?? [];
    return conflicts.map((conflict) => conflictReport([stage], conflict));
  }
}

/**
 * Ends conflicts that a merge left in locks, by taking one side of each that is selected; without a side it merges what could not be merged for want of trees.
 * Throws `ERR_SELECTOR` if nothing that is selected is in conflict, `ERR_NOT_LOCAL` if a tree on the way to a path cannot be had, and what `parseLock` throws. Each lock is written whole or not at all.
 */
export async function resolveConflicts(
  context: OperationContext,
  selected: readonly Selected[],
  side: ResolveSide | undefined,
): Promise<ResolveReport> {
  const resolved: ConflictReport[] = [];
  const left: ConflictReport[] = [];
  const locks = new Set<string>();
  for (const root of new Set(selected.map(({ stage }) => stage.projectRoot))) {
    const mine = selected.filter(({ stage }) => stage.projectRoot === root);
    const owners = mine.map(({ stage }) => stage);
    const done = await resolveInLock(context, root, mine, side);
    resolved.push(...done.resolved.map((conflict) => conflictReport(owners, conflict)));
    left.push(...done.left.map((conflict) => conflictReport(owners, conflict)));
    if (done.resolved.length > 0) locks.add(lockPath(root));
  }
  if (resolved.length + left.length === 0) {
    throw new SluiceError('ERR_SELECTOR', 'nothing of what is selected is in conflict', {
      hint: '`sluice status` lists conflicts; a path is written as in project:target#path.',
    });
  }
  return { resolved, left, locks: [...locks] };
}

async function resolveInLock(
  context: OperationContext,
  projectRoot: RelPath,
  selected: readonly Selected[],
  side: ResolveSide | undefined,
): Promise<{ readonly resolved: readonly LockConflict[]; readonly left: readonly LockConflict[] }> {
  const isChosen = ({ target, out, path }: LockConflict): boolean =>
    selected.some(({ stage, filterOf }) => {
      const declared = stage.outs.find((one) => one.path === out);
      if (stage.id.target !== target) return false;
      // An out that is not declared any more can be named by its stage alone.
      return filterOf === undefined || (declared !== undefined && path !== '' && filterOf(declared)(path));
    });
  return await withLockFile(context.workspace, projectRoot, async (write) => {
    const lock = readMergedLock(context.workspace.root, projectRoot);
    const chosen = (lock?.conflicts ?? []).filter(isChosen);
    if (lock === undefined || chosen.length === 0) return { resolved: [], left: [] };
    const owners = selected.map(({ stage }) => stage);
    return await context.workspace.store.write(async (session) => {
      const nodes = new Map<string, EncodedNode>();
      const emit = (node: EncodedNode): void => void nodes.set(node.raw.toString('hex'), node);
      const edited =
        side === undefined
          ? await mergeMissing(context, owners, lock, chosen, emit)
          : await takeSide(context, owners, lock, chosen, side, emit);
      const ingestor = session.ingestor(false);
      for (const { bytes, raw, part } of nodes.values()) ingestor.addBytes('tree', bytes, raw, 0, part);
      session.publish([ingestor.finish()]);
      write(printLock(edited));
      const open = new Set(edited.conflicts.map(nameOf));
      const resolved = chosen.filter((conflict) => !open.has(nameOf(conflict)));
      return { resolved, left: edited.conflicts.filter(({ target }) => owners.some(({ id }) => id.target === target)) };
    });
  });
}

/** Puts the entries of one side in the places of conflicts. */
async function takeSide(
  context: OperationContext,
  owners: readonly Stage[],
  lock: MergedLock,
  chosen: readonly LockConflict[],
  side: ResolveSide,
  emit: (node: EncodedNode) => void,
): Promise<MergedLock> {
  let edited: MergedLock = { ...lock, conflicts: lock.conflicts.filter((conflict) => !chosen.includes(conflict)) };
  for (const group of byOut(chosen)) {
    const [{ target, out }] = group;
    const root = lock.stages.get(target)?.outs.get(out);
    const entry = root === undefined ? undefined : entryOfRoot(root);
    const remote = owners.find(({ id }) => id.target === target)?.outs.find(({ path }) => path === out)?.remote;
    // Nodes of the merged tree are those of our side, or were made by the merge.
    const read = nodeReader(context, { base: undefined, ours: entry, theirs: undefined }, remote);
    const edits = new Map(group.map((conflict) => [conflict.path as string, conflict[side]]));
    try {
      edited = withOut(edited, target, out, await editTree(entry, edits, read, emit));
    } catch (error) {
      if (error instanceof NodeMissing) throw notHere(owners, target, error);
      throw error;
    }
  }
  return withoutEmpty(edited);
}

/** Merges outs whose trees could not be had before. Conflicts that are a matter of choice stay. */
async function mergeMissing(
  context: OperationContext,
  owners: readonly Stage[],
  lock: MergedLock,
  chosen: readonly LockConflict[],
  emit: (node: EncodedNode) => void,
): Promise<MergedLock> {
  let edited = lock;
  for (const conflict of chosen) {
    if (conflict.missing === undefined) continue;
    const { target, out, base, ours, theirs } = conflict;
    const { entry, found } = await mergeOneOut(
      { target, out, sides: { base, ours, theirs } },
      outMerger(context, owners, emit),
    );
    const others = edited.conflicts.filter((one) => one !== conflict);
    edited = withOut({ ...edited, conflicts: [...others, ...found] }, target, out, entry);
  }
  return edited;
}

function withOut(lock: MergedLock, target: string, out: RelPath, entry: TreeEntry | undefined): MergedLock {
  const stage = lock.stages.get(target) ?? { fingerprint: undefined, parts: [], outs: new Map<RelPath, OutRoot>() };
  const outs = new Map(stage.outs);
  if (entry === undefined) outs.delete(out);
  else outs.set(out, rootOfEntry(entry));
  return { ...lock, stages: new Map(lock.stages).set(target, { ...stage, outs }) };
}

/** A stage that has nothing left is gone, as on the side that removed it. */
function withoutEmpty(lock: MergedLock): MergedLock {
  const isOpen = (target: string): boolean => lock.conflicts.some((conflict) => conflict.target === target);
  const stages = [...lock.stages].filter(([target, { outs }]) => outs.size > 0 || isOpen(target));
  return { ...lock, stages: new Map(stages) };
}

function byOut(conflicts: readonly LockConflict[]): (readonly [LockConflict, ...LockConflict[]])[] {
  const groups = new Map<string, [LockConflict, ...LockConflict[]]>();
  for (const conflict of conflicts) {
    const key = JSON.stringify([conflict.target, conflict.out]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [conflict]);
    else group.push(conflict);
  }
  return [...groups.values()];
}

function readMergedLock(root: string, projectRoot: RelPath): MergedLock | undefined {
  const path = lockPath(projectRoot);
  try {
    return parseMergedLock(readFileSync(join(root, path), 'utf8'), path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function nameOf({ target, out, path }: LockConflict): string {
  return JSON.stringify([target, out, path]);
}

function notHere(owners: readonly Stage[], target: string, { digest, message }: NodeMissing): SluiceError {
  const stage = owners.find(({ id }) => id.target === target);
  const name = stage === undefined ? target : stageName(stage.id);
  return new SluiceError(
    'ERR_NOT_LOCAL',
    `${name}: the tree ${hexOf(digest).slice(0, 12)} is needed and cannot be had: ${message}`,
    {
      hint: 'Try again when the remote answers.',
      details: { digest },
    },
  );
}
