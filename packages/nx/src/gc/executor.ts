import type { ExecutorContext } from '../nx-context.js';
import type { GcOptions } from '../operations/options.js';

/** Executor `@sluice/nx:gc`: drops from the store what nothing refers to. Never throws: a failure is printed with its code. */
export default async function gcExecutor(options: GcOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const [{ runOperation }, { gc }] = await Promise.all([
    import('../operations/operation.js'),
    import('../operations/gc.js'),
  ]);
  return await runOperation(gc, options, context);
}
