import { type Commit, resolveRev } from '../history/git.js';
import { type LockLog, type LoggedCommit, logLocks } from '../history/log-locks.js';
import type { Digest } from '../model/digest.js';
import { type OutRoot, sameRoot } from '../model/root.js';
import { lockPath } from '../stage/lock-file.js';
import type { Out, Stage } from '../stage/stage.js';
import { diffRoots } from '../store/diff-trees.js';
import { type ListedEntry, listRoot } from '../store/list-tree.js';
import { relyOn } from '../store/rely.js';
import type { OperationContext } from './context.js';
import type { Select } from './options.js';
import { lockReaderOf, stageHistory } from './out-history.js';
import type { Selected } from './select.js';
import { tellUnreadable } from './tell-unreadable.js';
import type { Version } from './versions.js';
import { bringTrees, isTreeProblem, withAllTrees } from './with-trees.js';

/** Whose files. */
export interface BlameOptions {
  readonly select: Select;
  /** The files as the lock of this revision has them, not that of the workspace. */
  readonly rev?: string;
}

/** A file with the commit that last changed it. */
export interface BlamedFile {
  readonly project: string;
  readonly target: string;
  readonly out: string;
  /** Below the out; `''` for an out that is a file. */
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** `null`: the lock with this version is not committed to git. */
  readonly commit: Pick<LoggedCommit, 'commit' | 'author' | 'date' | 'subject'> | null;
  /** The trees before this commit can be had nowhere: it may have been an earlier one. */
  readonly orEarlier: boolean;
}

/** Files with the commits that last changed them. */
export interface BlameReport {
  readonly files: readonly BlamedFile[];
}

/** Versions whose trees are looked for together when one is not here. */
const BATCH = 32;

/**
 * The commit that last changed each file. Renames are not followed. Reads trees only, and of them what differs; those that the store lacks come from a remote. Throws
 * `ERR_REVISION`, and what reading the trees of the version itself throws.
 */
export async function blame(
  context: OperationContext,
  selected: readonly Selected[],
  { rev }: BlameOptions,
): Promise<BlameReport> {
  const { workspace, signal } = context;
  const scope = rev === undefined ? {} : { revs: [await resolveRev(workspace.root, rev, { signal })] };
  const locks = [...new Set(selected.map(({ stage }) => lockPath(stage.projectRoot)))];
  const log = await logLocks(workspace.root, locks, scope, { signal });
  const read = lockReaderOf(log, tellUnreadable(context));
  const files: BlamedFile[] = [];
  for (const { stage, filterOf } of selected) {
    const entries = stageHistory(log, read, stage);
    for (const out of stage.outs) {
      const rootAt = (commit: Commit): OutRoot | undefined => entries.get(commit)?.outs.get(out.path);
      files.push(...(await blameOut(context, { log, rootAt, stage, out, filter: filterOf?.(out), rev })));
    }
  }
  return { files };
}

/** The history of one out. */
interface Blaming extends Pick<Version, 'filter' | 'rev'> {
  readonly log: LockLog;
  readonly rootAt: (commit: Commit) => OutRoot | undefined;
  readonly stage: Stage;
  readonly out: Out;
}

async function blameOut(context: OperationContext, blaming: Blaming): Promise<BlamedFile[]> {
  const { log, rootAt, stage, out, filter, rev } = blaming;
  // From one revision all commits of the log are reached through its first.
  const [newest] = log.commits;
  const committed = newest && rootAt(newest.commit);
  const root =
    rev === undefined ? context.readLock(stage.projectRoot).stages.get(stage.id.target)?.outs.get(out.path) : committed;
  if (root === undefined) return [];
  const version = { stage, out, root, filter, rev };
  const { reader } = context.workspace.store;
  const entries = await withAllTrees(context, [version], () =>
    listRoot(reader, root, { filter }).filter(({ kind }) => kind !== 'directory'),
  );
  const roots = log.commits.flatMap(({ commit }) => rootAt(commit) ?? []);
  const blamed = await relyOn(context.workspace.store, [root, ...roots], () =>
    walkBack(context, blaming, root, new Set(entries.map(({ path }) => path))),
  );
  const reports: BlamedFile[] = [];
  for (const entry of entries) {
    const found = blamed.get(entry.path);
    if (found !== undefined) reports.push(reportOf(blaming, entry, found));
  }
  return reports;
}

/** Who is to blame, made once for all the files of a commit: there may be many. */
interface Blamed {
  readonly commit: BlamedFile['commit'];
  readonly orEarlier: boolean;
}

/**
 * Hands files from commit to parent for as long as the parent has the same; where no parent does, the commit changed them. Sets are handed on as they are and what changed is
 * taken out of them, since from one commit to the next few files of many change.
 */
async function walkBack(
  context: OperationContext,
  blaming: Blaming,
  root: OutRoot,
  files: Set<string>,
): Promise<Map<string, Blamed>> {
  const { log, rootAt } = blaming;
  const { size } = files;
  const blamed = new Map<string, Blamed>();
  const pending = new Map<Commit, Set<string>>();
  /** Takes the set over. */
  const settle = async (
    at: number,
    commit: LoggedCommit | null,
    after: OutRoot,
    parents: readonly Commit[],
    paths: Set<string>,
  ): Promise<void> => {
    let rest = paths;
    let orEarlier = false;
    for (const parent of parents) {
      const before = rootAt(parent);
      if (before === undefined || rest.size === 0) continue;
      const changed = await changedPaths(context, blaming, before, after, at);
      orEarlier ||= changed === undefined;
      if (changed === undefined) continue;
      const same = rest;
      rest = new Set();
      for (const path of changed) if (same.delete(path)) rest.add(path);
      pending.set(parent, union(pending.get(parent), same));
    }
    const by: Blamed = { commit: commit && byOf(commit), orEarlier };
    for (const path of rest) blamed.set(path, by);
  };
  const [newest] = log.commits;
  await settle(0, null, root, newest === undefined ? [] : [newest.commit], files);
  for (const [at, commit] of log.commits.entries()) {
    const paths = pending.get(commit.commit);
    const after = rootAt(commit.commit);
    if (paths === undefined || after === undefined) continue;
    pending.delete(commit.commit);
    await settle(at, commit, after, commit.parents, paths);
    if (blamed.size === size) break;
  }
  return blamed;
}

/** Of two sets that nobody else has, the larger one with what is in the other. */
function union(a: Set<string> | undefined, b: Set<string>): Set<string> {
  if (a === undefined) return b;
  const [large, small] = a.size < b.size ? [b, a] : [a, b];
  for (const path of small) large.add(path);
  return large;
}

/** Paths that differ; `undefined` if the trees of `before` can be had nowhere. With those that are missing come the trees of the versions before them. */
async function changedPaths(
  context: OperationContext,
  { log, rootAt, stage, out, filter }: Blaming,
  before: OutRoot,
  after: OutRoot,
  at: number,
): Promise<ReadonlySet<string> | undefined> {
  if (sameRoot(before, after)) return new Set();
  const { reader } = context.workspace.store;
  const diff = (): ReadonlySet<string> =>
    new Set(Array.from(diffRoots({ reader, filter }, before, after), ({ path }) => path));
  try {
    return diff();
  } catch (error) {
    if (!isTreeProblem(error)) throw error;
  }
  const versions = new Map<Digest, Version>();
  const add = (root: OutRoot | undefined, rev: string): void => {
    if (root !== undefined && versions.size < BATCH && !versions.has(root.digest)) {
      versions.set(root.digest, { stage, out, root, filter, rev });
    }
  };
  add(before, 'an earlier commit');
  for (const { commit } of log.commits.slice(at)) add(rootAt(commit), commit.slice(0, 12));
  const missing = await bringTrees(context, [...versions.values()]);
  for (const [{ root }, { code, message, hint }] of missing) {
    if (root.digest !== before.digest) continue;
    context.emit({ type: 'warning', code, message, ...(hint === undefined ? {} : { hint }) });
    return undefined;
  }
  return diff();
}

function byOf({ commit, author, date, subject }: LoggedCommit): NonNullable<BlamedFile['commit']> {
  return { commit, author, date, subject };
}

function reportOf(
  { stage, out }: Blaming,
  { path, digest, bytes }: ListedEntry,
  { commit, orEarlier }: Blamed,
): BlamedFile {
  const { project, target } = stage.id;
  return { project, target, out: out.path, path, digest, bytes, commit, orEarlier };
}
