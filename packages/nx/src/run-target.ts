import { dataIsRead } from './data-is-read.js';
import type { ExecutorContext } from './host.js';
import { type HostProcess, withEngine } from './with-engine.js';

/** Brings the stage of a target up to date and prints what became of it. Both executors are this; what differs is in the options. */
export async function runTarget(
  options: unknown,
  context: ExecutorContext,
  host: HostProcess = process,
): Promise<{ success: boolean }> {
  return await withEngine(context, host, async (engine, printer) => {
    const { projectName: project = '', targetName: target = '' } = context;
    const startedMs = performance.now();
    const result = await engine.runStage(
      { id: { project, target }, configuration: context.configurationName, options },
      {
        // `--skip-nx-cache`: the user wants the command to run.
        force: host.env.NX_SKIP_NX_CACHE === 'true',
        wait: true,
        materialize: dataIsRead(context, { project, target }),
      },
    );
    printer.result(result, performance.now() - startedMs);
    return { success: true };
  });
}
