import { SluiceError } from '../errors.js';
import { isGitWorkspace, readFileAt } from '../history/git.js';
import { sidesOfMerge } from '../history/merge-sides.js';
import { parseLock } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import { type OutRoot, sameRoot } from '../model/root.js';
import type { StageContext } from './context.js';
import { lockPath } from './lock-file.js';
import { type Stage, stageName } from './stage.js';

/**
 * Refuses to commit data that is what one side of the merge that git did last, or is doing, had: the workspace has not followed the merge, and committing it would undo
 * what the other side did. `changed`: roots that are not what the lock says. Throws `ERR_OUT_MODIFIED`.
 */
export async function refuseUnmerged(
  context: StageContext,
  stage: Stage,
  changed: ReadonlyMap<RelPath, OutRoot>,
): Promise<void> {
  const { workspace, signal } = context;
  if (changed.size === 0 || !(await isGitWorkspace(workspace.root, { signal }))) return;
  for (const rev of await sidesOfMerge(workspace.root, { signal })) {
    const outs = await outsAt(context, stage, rev);
    const stale = [...changed].find(([path, root]) => sameRoot(outs?.get(path), root));
    if (stale === undefined) continue;
    const name = stageName(stage.id);
    throw new SluiceError('ERR_OUT_MODIFIED', `${name}: ${stale[0]} is still what it was before the merge of ${rev}`, {
      hint: `\`sluice pull ${name}\` brings the merged data; \`sluice commit --force ${name}\` takes this version all the same.`,
      details: { path: stale[0] },
    });
  }
}

async function outsAt(
  { workspace, signal }: StageContext,
  stage: Stage,
  rev: string,
): Promise<ReadonlyMap<RelPath, OutRoot> | undefined> {
  const path = lockPath(stage.projectRoot);
  const text = await readFileAt(workspace.root, rev, path, { signal });
  if (text === undefined) return undefined;
  try {
    return parseLock(text, `${rev}:${path}`).stages.get(stage.id.target)?.outs;
  } catch (error) {
    // An old lock that nobody can read forbids nothing.
    if (error instanceof SluiceError && error.exitCode === 4) return undefined;
    throw error;
  }
}
