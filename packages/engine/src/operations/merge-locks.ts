import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { SluiceError } from '../errors.js';
import { runGit } from '../history/run-git.js';
import type { MergedLock } from '../model/lock.js';
import { type Lock, parseLock, parseMergedLock, printLock } from '../model/lock.js';
import { conflictName, type LockConflict } from '../model/lock-conflicts.js';
import { type MergeOut, mergeLocks } from '../model/merge/merge-locks.js';
import { mergeTrees } from '../model/merge/merge-trees.js';
import { type RelPath, tryParseRelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { EncodedNode } from '../model/split.js';
import { lockPath } from '../stage/lock-file.js';
import type { Stage } from '../stage/stage.js';
import { writeKept } from '../store/kept.js';
import type { OperationContext } from './context.js';
import { NodeMissing, nodeReader } from './merge-nodes.js';
import type { ConflictReport, MergeLocksReport } from './reports.js';

/** The three versions of a lock that git hands to a merge driver, and the place of the lock. All are absolute paths; `ours` receives the result. */
export interface MergeLocksOptions {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly path: string;
}

/**
 * Merges a lock for git: the stages, and inside of outs the trees, whose nodes come from the store or else from a remote; no blob is needed. New tree nodes go into
 * the store, the result into the file of our side. What cannot be read as a lock is merged as text, with markers. Throws what the store throws; then our side is as it was.
 */
export async function mergeLockFiles(context: OperationContext, options: MergeLocksOptions): Promise<MergeLocksReport> {
  const path = pathInWorkspace(context.workspace.root, options.path);
  const sides = readSides(options, path);
  if (sides === undefined) return await mergeAsText(context, options, path);
  const owners = context.stages.all.filter(({ projectRoot }) => lockPath(projectRoot) === path);
  const merged = await context.workspace.store.write(async (session) => {
    const nodes = new Map<string, EncodedNode>();
    const lock = await mergeLocks(
      sides,
      outMerger(context, owners, (node) => nodes.set(node.raw.toString('hex'), node)),
    );
    const text = printLock(lock);
    parseMergedLock(text, path);
    const ingestor = session.ingestor(false);
    for (const { bytes, raw, part } of nodes.values()) ingestor.addBytes('tree', bytes, raw, 0, part);
    session.publish([ingestor.finish()]);
    // git gives the lock its place after this process has ended: until then nothing else names what was made here.
    for (const [out, root] of newRoots(lock, nodes)) {
      const at = context.now().toISOString();
      writeKept(context.workspace.store, {
        root,
        path: out,
        workspace: context.workspace.root,
        at,
        reason: 'a merge made it',
      });
    }
    const whole = `${options.ours}.${process.pid}.tmp`;
    writeFileSync(whole, text);
    renameSync(whole, options.ours);
    return lock;
  });
  context.workspace.store.reader.catalog.refresh();
  tellMissing(context, merged.conflicts);
  const changed = [...merged.stages].filter(([target, stage]) => sides.ours.stages.get(target) !== stage);
  return {
    path,
    stages: changed.map(([target]) => target),
    conflicts: merged.conflicts.map((conflict) => conflictReport(owners, conflict)),
    text: false,
  };
}

/** How the inside of outs is merged, with nodes from store and remotes. */
export function outMerger(
  context: OperationContext,
  owners: readonly Stage[],
  emit: (node: EncodedNode) => void,
): MergeOut {
  return async ({ target, out, sides }) => {
    const stage = owners.find(({ id }) => id.target === target);
    const remote = stage?.outs.find(({ path }) => path === out)?.remote;
    const made: EncodedNode[] = [];
    try {
      const merged = await mergeTrees(sides, nodeReader(context, sides, remote), (node) => void made.push(node));
      for (const node of made) emit(node);
      return merged;
    } catch (error) {
      if (error instanceof NodeMissing) return { missing: error.digest };
      throw error;
    }
  };
}

/** A conflict as reports show it. */
export function conflictReport(owners: readonly Stage[], conflict: LockConflict): ConflictReport {
  const { target, out, path, class: name, missing } = conflict;
  const project = owners[0]?.id.project ?? '';
  const outs = owners.find(({ id }) => id.target === target)?.outs ?? [];
  const inside = outs.length > 1 ? `${out}/${path}` : path;
  const selector = path === '' ? `${project}:${target}` : `${project}:${target}#${inside}`;
  const size = (side: 'base' | 'ours' | 'theirs'): number | null => conflict[side]?.size ?? null;
  const bytes = { base: size('base'), ours: size('ours'), theirs: size('theirs') };
  return { project, target, selector, out, path, class: name, bytes, missing: missing ?? null };
}

/** The sides as locks; `undefined` if one of them is none, or holds what a merge left in it. */
function readSides(options: MergeLocksOptions, path: string): Record<'base' | 'ours' | 'theirs', Lock> | undefined {
  const read = (side: 'base' | 'ours' | 'theirs'): Lock => {
    const text = readFileSync(options[side], 'utf8');
    // Where both sides added the file, git gives an empty one for what they come from.
    return text.trim() === '' ? { stages: new Map() } : parseLock(text, `${path} (${side})`);
  };
  try {
    return { base: read('base'), ours: read('ours'), theirs: read('theirs') };
  } catch (error) {
    if (error instanceof SluiceError && error.code.startsWith('ERR_LOCK_')) return undefined;
    throw error;
  }
}

/** What git itself does without us; each side of a conflict stands in the file then. */
async function mergeAsText(
  context: OperationContext,
  { base, ours, theirs }: MergeLocksOptions,
  path: string,
): Promise<MergeLocksReport> {
  const { workspace, signal } = context;
  const args = ['merge-file', '-q', '-L', 'ours', '-L', 'base', '-L', 'theirs', ours, base, theirs];
  const { status, stderr } = await runGit(workspace.root, args, { signal });
  // The status is the number of conflicts; from 128 on git failed.
  if (status < 0 || status > 127) throw new SluiceError('ERR_REVISION', `git merge-file: ${stderr}`);
  context.emit({
    type: 'warning',
    code: 'ERR_LOCK_INVALID',
    message: `${path} cannot be read as a lock on each side, so it is merged as text`,
  });
  return { path, stages: [], conflicts: [], text: true, ...(status > 0 ? { markers: true } : {}) };
}

/** Roots that a merge has put together: trees whose top is among the new nodes. */
function newRoots(lock: MergedLock, nodes: ReadonlyMap<string, EncodedNode>): [RelPath, OutRoot][] {
  return [...lock.stages.values()].flatMap(({ outs }) =>
    [...outs].filter(([, root]) => nodes.has(root.digest.slice('sha256:'.length))),
  );
}

function tellMissing(context: OperationContext, conflicts: readonly LockConflict[]): void {
  for (const conflict of conflicts) {
    if (conflict.missing === undefined) continue;
    context.emit({
      type: 'warning',
      code: 'ERR_NOT_LOCAL',
      message: `${conflictName(conflict)} is not merged: the tree ${conflict.missing} is neither here nor on a remote that answers`,
      hint: 'Run `sluice resolve` when the remote answers to merge it then, or take a side with --ours or --theirs.',
    });
  }
}

function pathInWorkspace(root: string, path: string): string {
  const below = relative(root, path).split(sep).join('/');
  return tryParseRelPath(below) === undefined ? path : below;
}
