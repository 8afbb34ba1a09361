import { lockTextsAt } from '../history/lock-history.js';
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
  const { workspace, signal } = context;
  const texts = await lockTextsAt(workspace.root, rev, { signal });
  const locks = new Map<RelPath, Lock>();
  // Locks of projects that have no stage any more are nobody's to read.
  for (const path of new Set(context.stages.all.map(({ projectRoot }) => lockPath(projectRoot)))) {
    const text = texts.get(path);
    if (text !== undefined) locks.set(path, parseLock(text, `${rev}:${path}`));
  }
  return ({ id, projectRoot }) => locks.get(lockPath(projectRoot))?.stages.get(id.target)?.outs;
}
