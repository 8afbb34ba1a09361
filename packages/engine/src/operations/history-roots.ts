import { locksOf } from '../history/lock-history.js';
import type { HistoryScope } from '../history/scope.js';
import { type LockedStage, parseLock } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import { lockPath } from '../stage/lock-file.js';
import type { Stage } from '../stage/stage.js';
import type { OperationContext } from './context.js';

/** A stage's entry in a lock of the history. */
export interface PastStage {
  readonly stage: Stage;
  readonly entry: LockedStage;
  /** For messages. */
  readonly rev: string;
}

/** Whether a scope names any revision at all. */
export function namesHistory(scope: HistoryScope): boolean {
  return (
    scope.allBranches === true ||
    scope.allTags === true ||
    scope.allCommits === true ||
    scope.since !== undefined ||
    scope.num !== undefined ||
    (scope.revs?.length ?? 0) > 0
  );
}

/**
 * What the locks of a scope's revisions say about the given stages, each version of a lock once. Throws `ERR_REVISION`, and what `parseLock` throws for a
 * lock that cannot be read.
 */
export async function lockedHistory(
  context: OperationContext,
  scope: HistoryScope,
  stages: readonly Stage[],
): Promise<PastStage[]> {
  const byLock = new Map<RelPath, Stage[]>();
  for (const stage of stages) {
    const path = lockPath(stage.projectRoot);
    byLock.set(path, [...(byLock.get(path) ?? []), stage]);
  }
  const past: PastStage[] = [];
  for await (const { rev, path, text } of locksOf(context.workspace.root, scope, { signal: context.signal })) {
    const owners = byLock.get(path);
    if (owners === undefined) continue;
    const lock = parseLock(text, `${rev.slice(0, 12)}:${path}`);
    for (const stage of owners) {
      const entry = lock.stages.get(stage.id.target);
      if (entry !== undefined) past.push({ stage, entry, rev });
    }
  }
  return past;
}
