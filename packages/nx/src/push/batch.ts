import type { BatchEnd, BatchGraph } from '../batch/nx-batch.js';
import type { ExecutorContext } from '../nx-context.js';
import type { PushOptions } from '../operations/options.js';

/** Executor `@sluice/nx:push` for many tasks in one process. */
export default async function pushBatch(
  graph: BatchGraph,
  options: Readonly<Record<string, PushOptions>>,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<AsyncGenerator<BatchEnd>> {
  const [{ runOperations }, { push }] = await Promise.all([
    import('../batch/run-operations.js'),
    import('../operations/push.js'),
  ]);
  return runOperations(push, graph, options, context);
}
