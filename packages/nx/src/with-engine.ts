import { asSluiceError, createStrictness, type Engine, openEngine, type SluiceEvent } from '@sluice/engine';
import { abortOnSignal } from './abort-on-signal.js';
import type { ExecutorContext } from './nx-context.js';
import { createPrinter, type Host, type Printer } from './printer.js';
import { NOTES_VARIABLE, NOTES_VARIABLES } from './run/task-note.js';
import { TERMINAL_VARIABLE } from './run/terminal.js';

/** What the parts of the plugin tell each other. */
const OWN_VARIABLES = [...NOTES_VARIABLES, TERMINAL_VARIABLE];

/** The process that an executor runs in. */
export type HostProcess = Host & NodeJS.EventEmitter;

/**
 * Opens the engine, does one piece of work and prints what became of it. Never throws: a failure is printed with its code. Ends when everything is closed, since Nx ends
 * the process as soon as an executor resolves.
 */
export async function withEngine(
  context: ExecutorContext,
  host: HostProcess,
  work: (engine: Engine, printer: Printer) => Promise<{ success: boolean }>,
): Promise<{ success: boolean }> {
  const printer = createPrinter(host, { verbose: isVerbose(context, host) });
  const interruption = abortOnSignal(host);
  let engine: Engine | undefined;
  try {
    const { signal } = interruption;
    const strictness = createStrictness(host.env);
    const emit = (event: SluiceEvent): void => {
      strictness.watch(event);
      printer.emit(event);
    };
    engine = await openEngine({ root: context.root, env: commandEnv(host), emit, signal, ...sharedRunDir(host) });
    const result = await work(engine, printer);
    const failure = strictness.failure();
    if (failure !== undefined) throw failure;
    return result;
  } catch (error) {
    printer.failure(asSluiceError(error));
    return { success: false };
  } finally {
    await engine?.close();
    interruption.release();
  }
}

/** `--verbose`: in batch mode only the environment tells. */
export function isVerbose({ isVerbose: asked }: ExecutorContext, { env }: Host): boolean {
  return asked === true || env.NX_VERBOSE_LOGGING === 'true';
}

/**
 * The folder by which the tasks of one Nx command tell each other what they find out about remotes, so that a remote that is down costs the time of one task. With `SLUICE_STRICT` each task finds out
 * for itself, since each that meets such a remote is to fail.
 */
export function sharedRunDir({ env }: Host): { readonly runDir?: string } {
  const dir = env[NOTES_VARIABLE];
  return dir && !env.SLUICE_STRICT ? { runDir: dir } : {};
}

/** The environment as commands see it: without the folders for notes, since an Nx that a command starts has tasks of its own. */
export function commandEnv({ env }: Host): Host['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_VARIABLES.includes(name)));
}
