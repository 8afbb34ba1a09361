import { SluiceError } from '../errors.js';
import { isGitWorkspace } from '../history/git.js';
import { runGit } from '../history/run-git.js';
import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
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
): (lacking: ReadonlySet<Digest>) => Promise<OutRoot[]> {
  return async (lacking) => {
    const now = context.stages.all.flatMap(({ projectRoot, id }) => [
      ...(context.readLock(projectRoot).stages.get(id.target)?.outs.values() ?? []),
    ]);
    return [...now, ...(await earlierVersions(context, stages, lacking))];
  };
}

/** Versions, latest first, of the outs whose present roots are in `lacking`. */
async function earlierVersions(
  context: OperationContext,
  stages: readonly Stage[],
  lacking: ReadonlySet<Digest>,
): Promise<OutRoot[]> {
  const { workspace, signal } = context;
  if (!(await isGitWorkspace(workspace.root, { signal }))) return [];
  const revs: string[] = [];
  for (const rev of ['HEAD', 'MERGE_HEAD']) if (await isThere(context, rev)) revs.push(rev);
  const past = await lockedHistory(context, { revs, num: LATEST_COMMITS }, stages).catch((error: unknown) => {
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

async function isThere({ workspace, signal }: OperationContext, rev: string): Promise<boolean> {
  return (await runGit(workspace.root, ['rev-parse', '--verify', '--quiet', rev], { signal })).status === 0;
}
