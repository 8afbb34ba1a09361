import { asSluiceError, type ChosenStage, type Engine, type RunResult, type SluiceEvent } from '@sluice/engine';
import { dataIsRead } from '../data-is-read.js';
import type { ExecutorContext } from '../nx-context.js';
import type { Host } from '../printer.js';
import { settledTargets } from '../settled-targets.js';
import { noteTask, type TaskNote } from './task-note.js';

/** Where a task runs, and what it sees. */
export interface TaskPlace {
  readonly context: ExecutorContext;
  /** The process, with the environment that Nx gave it. */
  readonly host: Pick<Host, 'env'>;
  /** The task's own environment, where that is not the one of its process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Environments of one name differ only in what Nx says about the task itself. */
  readonly envName?: string;
  /** Where the events of this task go, if not to the engine's own listener. */
  readonly emit?: (event: SluiceEvent) => void;
}

/** What became of a task, and how long that took. */
export interface TaskResult {
  readonly result: RunResult;
  readonly ms: number;
}

/** Brings the stage of one task up to date and notes what became of it for the summary. Throws what the engine throws. */
export async function bringUpToDate(engine: Engine, chosen: ChosenStage, place: TaskPlace): Promise<TaskResult> {
  const { context, host, env, envName, emit } = place;
  const startedMs = performance.now();
  const settled = settledTargets(context, chosen);
  const note = (rest: Pick<TaskNote, 'outcome'> & Partial<TaskNote>): void =>
    noteTask(host.env, {
      ...chosen.id,
      configuration: chosen.configuration ?? null,
      reasons: [],
      files: 0,
      bytes: 0,
      source: null,
      receivedBytes: 0,
      savedMs: 0,
      referenceOnly: [],
      error: null,
      ms: Math.round(performance.now() - startedMs),
      ...rest,
    });
  try {
    const result = await engine.runStage(chosen, {
      // `--skip-nx-cache`: the user wants the command to run.
      force: host.env.NX_SKIP_NX_CACHE === 'true',
      wait: true,
      settled,
      materialize: dataIsRead(context, chosen.id, host.env.SLUICE_MATERIALIZE !== 'lazy'),
      ...(env === undefined ? {} : { env }),
      ...(envName === undefined ? {} : { envName }),
      ...(emit === undefined ? {} : { emit }),
    });
    // What was done for each stage of a matrix is noted already; the target that stands for them may have put their data in place.
    const isNoted = settled.length > 0;
    if (!isNoted || result.outcome !== 'unchanged')
      note({ ...result, source: result.source ?? null, savedMs: isNoted ? 0 : result.savedMs });
    return { result, ms: performance.now() - startedMs };
  } catch (error) {
    const { code, message } = asSluiceError(error);
    note({ outcome: 'failed', error: { code, message } });
    throw error;
  }
}
