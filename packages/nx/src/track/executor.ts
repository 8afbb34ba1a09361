import type { ExecutorContext } from '../nx-context.js';

/**
 * Executor `@sluice/nx:track`: a stage with outs and no command. Data that lies in place is committed, data that does not is brought back.
 * Never throws: a failure is printed with its code.
 */
export default async function trackExecutor(options: unknown, context: ExecutorContext): Promise<{ success: boolean }> {
  const { runTarget } = await import('../run-target.js');
  return await runTarget(options, context);
}
