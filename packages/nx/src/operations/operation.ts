import type { Engine } from '@sluice/engine';
import type { ExecutorContext } from '../nx-context.js';
import { type HostProcess, isVerbose, withEngine } from '../with-engine.js';

/** Who asks for an operation, and how much they want to know. */
export interface Asking {
  /** The project of the task. */
  readonly project: string | undefined;
  readonly verbose: boolean;
}

/** What one of our executors does: a call of the engine, and what to say about its report. Throws what the engine throws. */
export type Operation<Options> = (
  engine: Engine,
  options: Options,
  asking: Asking,
) => Promise<{ readonly text: string; readonly success: boolean }>;

/** Does an operation for one task. Nx has checked the options against their schema. */
export async function runOperation<Options>(
  operation: Operation<Options>,
  options: Options,
  context: ExecutorContext,
  host: HostProcess = process,
): Promise<{ success: boolean }> {
  return await withEngine(context, host, async (engine, printer) => {
    const asking = { project: context.projectName, verbose: isVerbose(context, host) };
    const { text, success } = await operation(engine, options, asking);
    printer.text(text);
    return { success };
  });
}
