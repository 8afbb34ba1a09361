import { isShallow } from '../history/git.js';
import { refsInLog } from '../history/list-refs.js';
import { type LoggedCommit, type LogScope, logLocks } from '../history/log-locks.js';
import { nearestShown } from '../history/nearest-commits.js';
import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { lockPath } from '../stage/lock-file.js';
import type { OperationContext } from './context.js';
import { type ChangeCount, countChanges } from './count-changes.js';
import { findMakers, type MadeBy } from './find-makers.js';
import type { Select } from './options.js';
import { lockReaderOf, type OutChange, outChanges, stageHistory } from './out-history.js';
import { type AskedRemotes, checkAsked, remoteStatesOf } from './remote-states.js';
import type { RemoteState } from './remotes.js';
import type { Selected } from './select.js';
import { tellUnreadable } from './tell-unreadable.js';

/** What to show of the history. */
export interface LogOptions extends LogScope {
  readonly select: Select;
  /** At most so many commits, the newest. */
  readonly num?: number;
  /** Counts files that were added, deleted, modified and renamed: needs the trees of both sides. */
  readonly stat?: boolean;
  /** Remotes to ask for each version and its record; none if nothing is said. */
  readonly remotes?: AskedRemotes;
}

/** One version of an out. */
export interface LogVersion {
  readonly digest: Digest;
  readonly files: number;
  readonly bytes: number;
}

/** One out that a commit changed. */
export interface LogOut {
  readonly project: string;
  readonly target: string;
  readonly path: string;
  readonly change: 'added' | 'deleted' | 'modified';
  /** The version of the first parent. */
  readonly before: LogVersion | null;
  readonly after: LogVersion | null;
  /** `null` unless it was asked for, and where the trees of a side can be had nowhere. */
  readonly stat: ChangeCount | null;
  /** `null` if no record is known. */
  readonly made: MadeBy | null;
  /** By name of the remote; empty unless one was asked. */
  readonly remote: Readonly<Record<string, RemoteState>>;
}

/** A commit that changed an out. */
export interface LogCommit extends LoggedCommit {
  /** Full names of the branches, remote-tracking branches and tags that have the versions of this commit. */
  readonly refs: readonly string[];
  readonly outs: readonly LogOut[];
}

/** The history of outs, newest first. `parents` are the nearest commits before each one that changed an out too. */
export interface LogReport {
  readonly commits: readonly LogCommit[];
  /** Older commits are not in this clone. */
  readonly shallow: boolean;
}

/**
 * The commits that changed outs, from git and locks; with `stat` or a pattern from their trees, which come from a remote where the store lacks them. A merge counts
 * where its result is that of no parent. Throws `ERR_REVISION`, `ERR_REMOTE_UNKNOWN` and `ERR_CONFIG`.
 */
export async function log(
  context: OperationContext,
  selected: readonly Selected[],
  options: LogOptions,
): Promise<LogReport> {
  const { workspace, signal } = context;
  const { remotes = [] } = options;
  checkAsked(context, remotes);
  const locks = [...new Set(selected.map(({ stage }) => lockPath(stage.projectRoot)))];
  const logged = await logLocks(workspace.root, locks, options, { signal });
  const read = lockReaderOf(logged, tellUnreadable(context));
  const changes = selected.flatMap(({ stage, filterOf }) => {
    const entries = stageHistory(logged, read, stage);
    return stage.outs.flatMap((out) => outChanges(logged, entries, { stage, out, filter: filterOf?.(out) }));
  });
  const isCounted = options.stat === true || selected.some(({ filterOf }) => filterOf !== undefined);
  const counts = isCounted ? await countChanges(context, changes) : new Map<OutChange, ChangeCount | null>();
  const byCommit = new Map<string, OutChange[]>();
  for (const change of changes) {
    if (change.filter !== undefined && isNothing(counts.get(change))) continue;
    byCommit.set(change.commit, [...(byCommit.get(change.commit) ?? []), change]);
  }
  const found = logged.commits.filter(({ commit }) => byCommit.has(commit));
  const chosen = found.slice(0, options.num);
  const shown = chosen.flatMap(({ commit }) => byCommit.get(commit) ?? []);
  const versions = shown.flatMap((change) =>
    change.after === undefined ? [] : [{ change, root: change.after, out: change.out }],
  );
  const [refs, shallow, states, makers] = await Promise.all([
    refsInLog(workspace.root, found, { signal }),
    logged.commits.length > 0 && isShallow(workspace.root, { signal }),
    remoteStatesOf(context, versions, remotes),
    findMakers(context, shown, remotes),
  ]);
  const stateOf = new Map(versions.map(({ change }, i) => [change, states[i]]));
  const parents = nearestShown(logged.commits, (commit) => byCommit.has(commit));
  const reportOut = (change: OutChange): LogOut => ({
    ...change.stage.id,
    path: change.out.path,
    change: change.before === undefined ? 'added' : change.after === undefined ? 'deleted' : 'modified',
    before: versionOf(change.before),
    after: versionOf(change.after),
    stat: (options.stat === true ? counts.get(change) : undefined) ?? null,
    made: makers.get(change) ?? null,
    remote: stateOf.get(change) ?? {},
  });
  return {
    commits: chosen.map((commit) => ({
      ...commit,
      parents: parents.get(commit.commit) ?? [],
      refs: refs.get(commit.commit) ?? [],
      outs: (byCommit.get(commit.commit) ?? []).map(reportOut),
    })),
    shallow,
  };
}

function isNothing(count: ChangeCount | null | undefined): boolean {
  return count !== null && count !== undefined && count.added + count.deleted + count.modified + count.renamed === 0;
}

function versionOf(root: OutRoot | undefined): LogVersion | null {
  return root === undefined ? null : { digest: root.digest, files: root.files, bytes: root.bytes };
}
