import type { BatchEnd, BatchGraph } from '../batch/batch-host.js';
import type { ExecutorContext } from '../host.js';

/** Executor `@sluice/nx:track` for many tasks in one process. */
export default async function trackBatch(
  graph: BatchGraph,
  options: Readonly<Record<string, unknown>>,
  _: unknown,
  context: ExecutorContext,
): Promise<AsyncGenerator<BatchEnd>> {
  const { runStages } = await import('../batch/run-stages.js');
  return runStages(graph, options, context);
}
