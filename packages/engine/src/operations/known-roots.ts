import { SluiceError } from '../errors.js';
import { isGitWorkspace } from '../history/git.js';
import { isCommit, sidesOfMerge } from '../history/merge-sides.js';
import type { HistoryScope } from '../history/scope.js';
import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import type { KnownRoots } from '../remote/push.js';
import type { Stage } from '../stage/stage.js';
import type { OperationContext } from './context.js';
import { lockedHistory } from './history-roots.js';

/** So far back an out's earlier versions are looked for. */
const LATEST_COMMITS = 100;

/**
 * Finds roots that a remote may hold and that share content with some that it lacks: what the locks name now, and the latest versions of those outs in the history of git,
 * both sides of a merge among them. Their maps say where blobs lie that were never here.
 */
export function knownRoots(
  context: OperationContext,
  stages: readonly Stage[],
): (lacking: ReadonlySet<Digest>) => Promise<KnownRoots> {
  return async (lacking) => {
    const now = context.stages.all.flatMap(({ projectRoot, id }) => [
      ...(context.readLock(projectRoot).stages.get(id.target)?.outs.values() ?? []),
    ]);
    if (!(await isGitWorkspace(context.workspace.root, { signal: context.signal }))) return { merged: [], others: now };
    const merged = await versionsAt(context, stages, lacking, {
      revs: await sidesOfMerge(context.workspace.root, { signal: context.signal }),
    });
    return { merged, others: [...now, ...(await earlierVersions(context, stages, lacking))] };
  };
}

/** Finds versions of the outs that have this root now: what a merge was made of is among them. */
export function relativesOf(context: OperationContext, root: OutRoot): Promise<OutRoot[]> {
  return earlierVersions(context, context.stages.all, new Set([root.digest]));
}

/** Versions, latest first, of the outs whose present roots are in `lacking`. */
async function earlierVersions(
  context: OperationContext,
  stages: readonly Stage[],
  lacking: ReadonlySet<Digest>,
): Promise<OutRoot[]> {
  if (!(await isGitWorkspace(context.workspace.root, { signal: context.signal }))) return [];
  const revs: string[] = [];
  for (const rev of ['HEAD', 'MERGE_HEAD'])
    if (await isCommit(context.workspace.root, rev, { signal: context.signal })) revs.push(rev);
  return await versionsAt(context, stages, lacking, { revs, num: LATEST_COMMITS });
}

/** What the locks of a scope name for the outs whose present roots are in `lacking`. */
async function versionsAt(
  context: OperationContext,
  stages: readonly Stage[],
  lacking: ReadonlySet<Digest>,
  scope: HistoryScope,
): Promise<OutRoot[]> {
  const past = await lockedHistory(context, scope, stages).catch((error: unknown) => {
    // An old lock that nobody can read only means that more is sent.
    if (error instanceof SluiceError && error.exitCode === 4) return [];
    throw error;
  });
  const found = past.flatMap(({ stage, entry }) => {
    const outs = context.readLock(stage.projectRoot).stages.get(stage.id.target)?.outs;
    return [...entry.outs].flatMap(([path, root]) => {
      const present = outs?.get(path);
      return present !== undefined && lacking.has(present.digest) ? [root] : [];
    });
  });
  return [...new Map(found.map((root) => [root.digest, root])).values()];
}
