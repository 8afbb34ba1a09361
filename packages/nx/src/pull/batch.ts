import type { BatchEnd, BatchGraph } from '../batch/nx-batch.js';
import type { ExecutorContext } from '../nx-context.js';
import type { PullOptions } from '../operations/options.js';

/** Executor `@sluice/nx:pull` for many tasks in one process. */
export default async function pullBatch(
  graph: BatchGraph,
  options: Readonly<Record<string, PullOptions>>,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<AsyncGenerator<BatchEnd>> {
  const [{ runOperations }, { pull }] = await Promise.all([
    import('../batch/run-operations.js'),
    import('../operations/pull.js'),
  ]);
  return runOperations(pull, graph, options, context);
}
