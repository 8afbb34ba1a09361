import type { ExecutorContext } from '../nx-context.js';
import type { PushOptions } from '../operations/options.js';

/** Executor `@sluice/nx:push`: sends data to a remote. Never throws: a failure is printed with its code. */
export default async function pushExecutor(
  options: PushOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const [{ runOperation }, { push }] = await Promise.all([
    import('../operations/operation.js'),
    import('../operations/push.js'),
  ]);
  return await runOperation(push, options, context);
}
