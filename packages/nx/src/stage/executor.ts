import type { ExecutorContext } from '../nx-context.js';

/**
 * Executor `@sluice/nx:stage`: brings one stage up to date. Never throws: a failure is printed with its code.
 * The options are checked by the engine, as for the command line.
 */
export default async function stageExecutor(options: unknown, context: ExecutorContext): Promise<{ success: boolean }> {
  // Whatever is not needed to start is loaded late: Nx starts a process for each task.
  const { runTarget } = await import('../run-target.js');
  return await runTarget(options, context);
}
