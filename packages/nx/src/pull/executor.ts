import type { ExecutorContext } from '../nx-context.js';
import type { PullOptions } from '../operations/options.js';

/** Executor `@sluice/nx:pull`: brings data from a remote and puts it in place. Never throws: a failure is printed with its code. */
export default async function pullExecutor(
  options: PullOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const [{ runOperation }, { pull }] = await Promise.all([
    import('../operations/operation.js'),
    import('../operations/pull.js'),
  ]);
  return await runOperation(pull, options, context);
}
