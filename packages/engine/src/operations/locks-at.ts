import { readFileAt, resolveRev } from '../history/git.js';
import { type Lock, parseLock } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { lockPath } from '../stage/lock-file.js';
import type { Stage } from '../stage/stage.js';
import type { OperationContext } from './context.js';

/** The locked roots of a stage, by path of the out; `undefined` if the lock does not name the stage. */
export type LockedRoots = (stage: Stage) => ReadonlyMap<RelPath, OutRoot> | undefined;

/** The locks of the workspace, or of a git revision. Throws `ERR_REVISION`, and what `parseLock` throws. */
export async function locksAt(context: OperationContext, rev: string | undefined): Promise<LockedRoots> {
  if (rev === undefined) {
    return (stage) => context.readLock(stage.projectRoot).stages.get(stage.id.target)?.outs;
  }
  const { root } = context.workspace;
  const commit = await resolveRev(root, rev);
  const locks = new Map<RelPath, Lock>();
  for (const projectRoot of new Set(context.stages.all.map((stage) => stage.projectRoot))) {
    const path = lockPath(projectRoot);
    const text = await readFileAt(root, commit, path);
    if (text !== undefined) locks.set(projectRoot, parseLock(text, `${rev}:${path}`));
  }
  return (stage) => locks.get(stage.projectRoot)?.stages.get(stage.id.target)?.outs;
}
