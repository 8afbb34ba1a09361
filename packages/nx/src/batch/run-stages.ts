import type { ExecutorContext } from '../nx-context.js';
import { bringUpToDate } from '../run/bring-up-to-date.js';
import { writeNotes } from '../run/task-note.js';
import { commandEnv, type HostProcess } from '../with-engine.js';
import type { BatchEnd, BatchGraph } from './nx-batch.js';
import { runBatch } from './run-batch.js';
import { createTaskEnvs } from './task-env.js';

/** How many tasks Nx runs at once when nobody says. */
const NX_PARALLEL = 3;

/** Brings the stages of a batch up to date, with the same results as one process for each. */
export async function* runStages(
  graph: BatchGraph,
  options: Readonly<Record<string, unknown>>,
  context: ExecutorContext,
  host: HostProcess = process,
): AsyncGenerator<BatchEnd> {
  const envOf = createTaskEnvs(context.root, commandEnv(host));
  const ends = runBatch(graph, context, host, parallelOf(context, host), async (task, { engine, printer, verbose }) => {
    const { project, target, configuration } = task.target;
    const { env, name: envName } = envOf(task);
    const chosen = { id: { project, target }, configuration, options: options[task.id] };
    const { result, ms } = await bringUpToDate(engine, chosen, { context, host, env, envName, emit: printer.emit });
    // Of a thousand stages the summary says how many are unchanged; Nx would write a file for each that says so itself.
    const idle = result.outcome === 'unchanged' && result.referenceOnly.length === 0;
    if (!idle || verbose) printer.result(result, ms);
    return { success: true, idle };
  });
  try {
    yield* ends;
  } finally {
    writeNotes();
  }
}

/** Nx passes no limit to a batch; its setting holds all the same. */
function parallelOf({ nxJsonConfiguration }: ExecutorContext, { env }: HostProcess): number {
  const asked = Number(env.NX_PARALLEL ?? nxJsonConfiguration?.parallel ?? NX_PARALLEL);
  return Number.isInteger(asked) && asked > 0 ? asked : NX_PARALLEL;
}
