import { asSluiceError, type Engine, openEngine } from '@sluice/engine';
import { abortOnSignal } from './abort-on-signal.js';
import { dataIsRead } from './data-is-read.js';
import type { ExecutorContext } from './host.js';
import { createPrinter, type Host } from './printer.js';

/** Brings the stage of a target up to date and prints what became of it. Both executors are this; what differs is in the options. */
export async function runTarget(
  options: unknown,
  context: ExecutorContext,
  host: Host & NodeJS.EventEmitter = process,
): Promise<{ success: boolean }> {
  const printer = createPrinter(host);
  const interruption = abortOnSignal(host);
  let engine: Engine | undefined;
  try {
    const { signal } = interruption;
    engine = await openEngine({ root: context.root, env: host.env, emit: printer.emit, signal });
    const startedMs = performance.now();
    const result = await engine.runStage(
      {
        id: { project: context.projectName ?? '', target: context.targetName ?? '' },
        configuration: context.configurationName,
        options,
      },
      {
        // `--skip-nx-cache`: the user wants the command to run.
        force: host.env.NX_SKIP_NX_CACHE === 'true',
        wait: true,
        materialize: dataIsRead(context),
      },
    );
    printer.result(result, performance.now() - startedMs);
    return { success: true };
  } catch (error) {
    printer.failure(asSluiceError(error));
    return { success: false };
  } finally {
    // Nx ends the process as soon as this resolves.
    await engine?.close();
    interruption.release();
  }
}
