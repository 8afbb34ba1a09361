import type { ExecutorContext } from '../nx-context.js';
import type { Operation } from '../operations/operation.js';
import type { HostProcess } from '../with-engine.js';
import type { BatchEnd, BatchGraph } from './nx-batch.js';
import { runBatch } from './run-batch.js';

/** Does one kind of operation for all tasks of a batch, one after the other: each uses what the machine and the remote can give by itself. */
export function runOperations<Options>(
  operation: Operation<Options>,
  graph: BatchGraph,
  options: Readonly<Record<string, Options>>,
  context: ExecutorContext,
  host: HostProcess = process,
): AsyncGenerator<BatchEnd> {
  return runBatch(graph, context, host, 1, async ({ id, target: { project } }, { engine, printer, verbose }) => {
    const own = options[id];
    if (own === undefined) throw new Error(`Nx gave no options for ${id}`);
    const { text, success } = await operation(engine, own, { project, verbose });
    printer.text(text);
    return { success };
  });
}
