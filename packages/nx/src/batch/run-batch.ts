import { asSluiceError, createStrictness, type Engine, openEngine, type SluiceEvent } from '@sluice/engine';
import { abortOnSignal } from '../abort-on-signal.js';
import type { ExecutorContext } from '../nx-context.js';
import { createPrinter, type Printer } from '../printer.js';
import { commandEnv, type HostProcess, isVerbose, sharedRunDir } from '../with-engine.js';
import type { BatchEnd, BatchGraph, BatchTask } from './nx-batch.js';
import { runInOrder } from './schedule.js';

/** What a task of a batch works with. */
export interface BatchTools {
  /** One for all tasks. */
  readonly engine: Engine;
  /** Its own. */
  readonly printer: Printer;
  readonly verbose: boolean;
}

/**
 * Runs the tasks of a batch on one engine. Never throws, since that would fail all of them: a failure is that of its task, with its code in the task's output. What the
 * engine tells on behalf of all of them goes to the output of the next task that ends. A task that says it was `idle` had nothing to do.
 */
export async function* runBatch(
  graph: BatchGraph,
  context: ExecutorContext,
  host: HostProcess,
  parallel: number,
  run: (task: BatchTask, tools: BatchTools) => Promise<{ success: boolean; idle?: boolean }>,
): AsyncGenerator<BatchEnd> {
  const verbose = isVerbose(context, host);
  const shared = keepingPrinter(host, verbose);
  // One for all: what a task finds out about a remote holds for those that end after it.
  const strictness = createStrictness(host.env);
  const watching =
    ({ emit }: Printer): Printer['emit'] =>
    (event) => {
      strictness.watch(event);
      emit(event);
    };
  const interruption = abortOnSignal(host);
  const { signal } = interruption;
  let opening: Promise<Engine> | undefined;
  const open = (): Promise<Engine> => {
    opening ??= openEngine({
      root: context.root,
      env: commandEnv(host),
      emit: watching(shared.printer),
      signal,
      ...sharedRunDir(host),
      readOnce: true,
    });
    return opening;
  };
  try {
    yield* runInOrder(graph, parallel, async (task) => {
      const { printer, take } = keepingPrinter(host, verbose);
      const startTime = Date.now();
      let success = false;
      let idle = false;
      try {
        const own = { ...printer, emit: watching(printer) };
        const ended = await run(task, { engine: await open(), printer: own, verbose });
        success = ended.success;
        idle = ended.idle ?? false;
        const failure = strictness.failure();
        if (failure !== undefined) throw failure;
      } catch (error) {
        success = false;
        printer.failure(asSluiceError(error));
      }
      const status = success ? ('success' as const) : ('failure' as const);
      // Nx compares the times of each task of a batch with those of all others, to find what a run waited for: nothing that did nothing.
      const times = idle ? {} : { startTime, endTime: Date.now() };
      return { success, status, terminalOutput: shared.take() + take(), ...times };
    });
  } finally {
    await opening?.then((engine) => engine.close()).catch(() => undefined);
    interruption.release();
  }
}

/** A printer that keeps what it prints, both streams in their order. */
function keepingPrinter({ env }: HostProcess, verbose: boolean): { printer: Printer; take: () => string } {
  let text = '';
  const stream = { write: (piece: string) => (text += piece) };
  // Progress would be read only when it is over.
  const printer = createPrinter({ stdout: stream, stderr: stream, env }, { verbose });
  const emit = (event: SluiceEvent): void => {
    if (event.type !== 'progress') printer.emit(event);
  };
  const take = (): string => {
    const taken = text;
    text = '';
    return taken;
  };
  return { printer: { ...printer, emit }, take };
}
