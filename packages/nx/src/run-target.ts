import type { ExecutorContext } from './nx-context.js';
import { bringUpToDate } from './run/bring-up-to-date.js';
import { type HostProcess, withEngine } from './with-engine.js';

/** Brings the stage of a target up to date and prints what became of it. The executors `stage` and `track` are this; what differs is in the options. */
export async function runTarget(
  options: unknown,
  context: ExecutorContext,
  host: HostProcess = process,
): Promise<{ success: boolean }> {
  return await withEngine(context, host, async (engine, printer) => {
    const { projectName: project = '', targetName: target = '', configurationName: configuration } = context;
    const chosen = { id: { project, target }, configuration, options };
    const { result, ms } = await bringUpToDate(engine, chosen, { context, host });
    printer.result(result, ms);
    return { success: true };
  });
}
