import type { BatchEnd, BatchGraph } from '../batch/nx-batch.js';
import type { ExecutorContext } from '../nx-context.js';
import type { StatusOptions } from '../operations/options.js';

/** Executor `@sluice/nx:status` for many tasks in one process. */
export default async function statusBatch(
  graph: BatchGraph,
  options: Readonly<Record<string, StatusOptions>>,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<AsyncGenerator<BatchEnd>> {
  const [{ runOperations }, { status }] = await Promise.all([
    import('../batch/run-operations.js'),
    import('../operations/status.js'),
  ]);
  return runOperations(status, graph, options, context);
}
