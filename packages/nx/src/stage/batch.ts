import type { BatchEnd, BatchGraph } from '../batch/nx-batch.js';
import type { ExecutorContext } from '../nx-context.js';

/** Executor `@sluice/nx:stage` for many tasks in one process. */
export default async function stageBatch(
  graph: BatchGraph,
  options: Readonly<Record<string, unknown>>,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<AsyncGenerator<BatchEnd>> {
  const { runStages } = await import('../batch/run-stages.js');
  return runStages(graph, options, context);
}
