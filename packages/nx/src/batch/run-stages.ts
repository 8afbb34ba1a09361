import { dataIsRead } from '../data-is-read.js';
import type { ExecutorContext } from '../host.js';
import type { HostProcess } from '../with-engine.js';
import type { BatchEnd, BatchGraph } from './batch-host.js';
import { runBatch } from './run-batch.js';
import { createTaskEnvs } from './task-env.js';

/** How many tasks Nx runs at once when nobody says. */
const NX_PARALLEL = 3;

/** Brings the stages of a batch up to date, with the same results as one process for each. */
export function runStages(
  graph: BatchGraph,
  options: Readonly<Record<string, unknown>>,
  context: ExecutorContext,
  host: HostProcess = process,
): AsyncGenerator<BatchEnd> {
  const envOf = createTaskEnvs(context.root, host.env);
  return runBatch(graph, context, host, parallelOf(context, host), async (task, { engine, printer }) => {
    const { project, target, configuration } = task.target;
    const { env, name } = envOf(task);
    const startedMs = performance.now();
    const result = await engine.runStage(
      { id: { project, target }, configuration, options: options[task.id] },
      {
        force: host.env.NX_SKIP_NX_CACHE === 'true',
        wait: true,
        materialize: dataIsRead(context, { project, target }),
        env,
        envName: name,
        emit: printer.emit,
      },
    );
    printer.result(result, performance.now() - startedMs);
    return { success: true };
  });
}

/** Nx passes no limit to a batch; its setting holds all the same. */
function parallelOf({ nxJsonConfiguration }: ExecutorContext, { env }: HostProcess): number {
  const asked = Number(env.NX_PARALLEL ?? nxJsonConfiguration?.parallel ?? NX_PARALLEL);
  return Number.isInteger(asked) && asked > 0 ? asked : NX_PARALLEL;
}
