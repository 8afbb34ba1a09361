import type { ExecutorContext } from '../nx-context.js';
import type { StatusOptions } from '../operations/options.js';

/** Executor `@sluice/nx:status`: says what state stages and their data are in. Never throws: a failure is printed with its code. */
export default async function statusExecutor(
  options: StatusOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const [{ runOperation }, { status }] = await Promise.all([
    import('../operations/operation.js'),
    import('../operations/status.js'),
  ]);
  return await runOperation(status, options, context);
}
