import type { Commit } from '../history/git.js';
import type { LockLog } from '../history/log-locks.js';
import { type Lock, type LockedStage, parseLock } from '../model/lock.js';
import type { PathFilter } from '../model/path-filter.js';
import { type OutRoot, sameRoot } from '../model/root.js';
import { lockPath } from '../stage/lock-file.js';
import type { Out, Stage } from '../stage/stage.js';

/** A commit that changed an out: its root is that of no parent. */
export interface OutChange {
  readonly stage: Stage;
  readonly out: Out;
  readonly filter: PathFilter | undefined;
  readonly commit: Commit;
  /** The root of the first parent; `undefined` where it has none. */
  readonly before: OutRoot | undefined;
  readonly after: OutRoot | undefined;
  /** What the lock says of the stage after the commit. */
  readonly entry: LockedStage | undefined;
}

/** The locks of a history, each version parsed once. One that cannot be read is told, and counts as that of the first parent. */
export type ReadLock = (commit: Commit, stage: Stage) => Lock | 'unreadable' | undefined;

/** Reads the locks of a log; `tell` gets what is wrong with one. */
export function lockReaderOf(log: LockLog, tell: (problem: unknown) => void): ReadLock {
  const parsed = new Map<string, Lock | 'unreadable'>();
  return (commit, stage) => {
    const path = lockPath(stage.projectRoot);
    const text = log.textAt(commit, path);
    if (text === undefined) return undefined;
    const known = parsed.get(text);
    if (known !== undefined) return known;
    let lock: Lock | 'unreadable' = 'unreadable';
    try {
      lock = parseLock(text, `${commit.slice(0, 12)}:${path}`);
    } catch (error) {
      tell(error);
    }
    parsed.set(text, lock);
    return lock;
  };
}

/** What the lock says of a stage at every commit of a log. */
export function stageHistory(log: LockLog, read: ReadLock, stage: Stage): Map<Commit, LockedStage | undefined> {
  const entries = new Map<Commit, LockedStage | undefined>();
  // Parents before children.
  for (const { commit, parents } of [...log.commits].reverse()) {
    const lock = read(commit, stage);
    const [first] = parents;
    const entry = lock === 'unreadable' ? first && entries.get(first) : lock?.stages.get(stage.id.target);
    entries.set(commit, entry);
  }
  return entries;
}

/** The commits of a log that changed an out, newest first. */
export function outChanges(
  log: LockLog,
  entries: ReadonlyMap<Commit, LockedStage | undefined>,
  { stage, out, filter }: Pick<OutChange, 'stage' | 'out' | 'filter'>,
): OutChange[] {
  const rootAt = (commit: Commit): OutRoot | undefined => entries.get(commit)?.outs.get(out.path);
  return log.commits.flatMap(({ commit, parents }): OutChange[] => {
    const after = rootAt(commit);
    const isSame =
      parents.length === 0 ? after === undefined : parents.some((parent) => sameRoot(rootAt(parent), after));
    if (isSame) return [];
    const [first] = parents;
    const before = first === undefined ? undefined : rootAt(first);
    return [{ stage, out, filter, commit, before, after, entry: entries.get(commit) }];
  });
}
