import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { OutRoot } from '../model/root.js';
import { ensureIgnored } from '../workspace/gitignore.js';
import { checkIgnored, finish, moveAside, moveOf, putBack } from '../workspace/moves.js';
import { absolutePath } from '../workspace/workspace.js';
import { commitData, lookAtData } from './commit-data.js';
import type { CommitResult } from './commit-outs.js';
import type { StageContext } from './context.js';
import { refuseTracked } from './git-tracked.js';
import { holdStage } from './hold.js';
import { keepAside } from './keep-aside.js';
import { Resolver } from './resolve.js';
import type { Out, Stage } from './stage.js';

/** A dataset that was replaced: what `fill` gave, and what was committed. */
export interface ReplacedData<T> {
  readonly filled: T;
  readonly committed: CommitResult & { readonly changed: boolean };
}

/** The root of an out that was committed. */
export function committedRoot({ outs }: CommitResult, { path }: Out): OutRoot {
  const root = outs.get(path);
  if (root === undefined) throw new Error(`${path} was committed without a root`);
  return root;
}

/**
 * Lets `fill` make an out of a dataset anew, in an empty place, and commits the dataset. What lay there is in the store by then, and goes back if `fill` or the commit fails,
 * or the process dies. Throws what `fill` throws, `ERR_OUT_TRACKED`, `ERR_OUT_MODIFIED` if the mutability of the out forbids the change, and what committing throws.
 */
export async function replaceData<T>(
  context: StageContext,
  stage: Stage,
  out: Out,
  fill: () => Promise<T>,
): Promise<ReplacedData<T>> {
  const { root } = context.workspace;
  const held = await holdStage(context, stage, true);
  try {
    await refuseTracked(context, stage);
    ensureIgnored(root, stage.projectRoot, out.path);
    await keepAside(context, out.path, await new Resolver(context).observed(out.path));
    const move = moveOf(root, out.path);
    try {
      moveAside(move);
      mkdirSync(dirname(absolutePath(context.workspace, out.path)), { recursive: true });
      const filled = await fill();
      checkIgnored(move);
      const looks = await lookAtData(context, stage);
      const { reasons, ...committed } = await commitData(context, stage, looks, {
        force: true,
        beforeLock: () => finish(move),
      });
      return { filled, committed: { ...committed, changed: reasons.length > 0 } };
    } catch (error) {
      putBack(move);
      throw error;
    }
  } finally {
    held.release();
  }
}
