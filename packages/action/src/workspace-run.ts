import { tmpdir } from 'node:os';
import { asSluiceError, type DeclarationProblem, type Engine, type RemoteTraffic, SluiceError } from '@sluice/engine';
import { childEnv } from './child-env.js';
import type { Host } from './host.js';
import type { Inputs } from './inputs.js';
import { type ChildCommand, commandsOf } from './nx-command.js';
import { type Pushed, pushFinished } from './push-finished.js';
import { type ChildEnd, runChild } from './run-child.js';
import type { Standing } from './standing.js';
import { REPORT_NOTES_VARIABLE, readNotes, type TaskNote } from './task-notes.js';

/** What one workspace did in this step. */
export interface WorkspaceRun {
  /** Absolute path. */
  readonly root: string;
  readonly command: string;
  /** `null` if a signal ended it. */
  readonly exitCode: number | null;
  readonly wasInterrupted: boolean;
  readonly stages: readonly TaskNote[];
  /** `undefined` where nothing is to be sent. */
  readonly pushed: Pushed | undefined;
  /** What went to and came from each remote. */
  readonly remotes: readonly RemoteTraffic[];
  readonly ms: number;
}

/** What a run in a workspace needs to know. */
export interface WorkspaceRunOptions {
  readonly host: Host;
  readonly inputs: Inputs;
  readonly standing: Standing;
  readonly root: string;
  /** For `SLUICE_REMOTE`. */
  readonly remote: string | undefined;
  /** Where executors leave their notes. */
  readonly notesDir: string;
  readonly interruption: AbortSignal;
  /** Keeps a text out of the log. */
  readonly mask: (secret: string) => void;
}

/** Declarations that no run can succeed with. */
export class BrokenDeclarations extends SluiceError {
  readonly root: string;
  readonly problems: readonly DeclarationProblem[];

  constructor(root: string, problems: readonly DeclarationProblem[]) {
    super('ERR_STAGE_DEFINITION', `${root} declares stages that cannot be used`);
    this.root = root;
    this.problems = problems;
  }
}

/** Runs Nx, or what the step names, in one workspace, and sends what is new meanwhile. Throws {@link BrokenDeclarations} and what `commandsOf` throws before anything ran. */
export async function runWorkspace(engine: Engine, options: WorkspaceRunOptions): Promise<WorkspaceRun> {
  const { host, inputs, standing, root, remote, notesDir, interruption } = options;
  const startedMs = performance.now();
  const declared = await engine.declarations();
  if (declared.problems.length > 0) throw new BrokenDeclarations(root, declared.problems);
  const commands = commandsOf(root, inputs, declared);
  const served = await engine.serveRemotes({ mayWrite: standing.mayWrite, dir: tmpdir() });
  options.mask(served.env.SLUICE_BROKER_TOKEN ?? '');
  const env = {
    ...childEnv(host.env, inputs.passEnv),
    ...served.env,
    ...(remote === undefined ? {} : { SLUICE_REMOTE: remote }),
    [REPORT_NOTES_VARIABLE]: notesDir,
    // Another machine reads what these stages make, and it is on the remote for it.
    ...(inputs.stages.length === 0 ? {} : { SLUICE_MATERIALIZE: 'lazy' }),
  };
  const isPushing = standing.mayWrite && inputs.push !== 'never' && engine.remotes().length > 0;
  const push = isPushing ? pushFinished(engine, notesDir) : undefined;
  let pushed: Pushed | undefined;
  let ended: ChildEnd = { exitCode: 0, wasInterrupted: false };
  try {
    for (const command of commands) {
      if (ended.wasInterrupted) break;
      const last = await runOne(host, command, root, env, interruption);
      // One that fails stops no other, as with the tasks of one command.
      ended = ended.exitCode === 0 ? last : { ...ended, wasInterrupted: last.wasInterrupted };
    }
  } finally {
    pushed = await push?.finish(interruption.aborted);
  }
  return {
    root,
    command: commands.map(({ text }) => text).join(' && '),
    ...ended,
    stages: readNotes(notesDir),
    pushed,
    remotes: served.traffic(),
    ms: Math.round(performance.now() - startedMs),
  };
}

async function runOne(
  host: Host,
  command: ChildCommand,
  root: string,
  env: Record<string, string>,
  interruption: AbortSignal,
): Promise<ChildEnd> {
  host.write(`$ ${command.text}\n`);
  try {
    return await runChild(host, command, root, env, interruption);
  } catch (error) {
    throw new SluiceError('ERR_WORKSPACE', `${command.text} cannot be started: ${asSluiceError(error).message}`, {
      hint: 'Set up Node in a step before this one, for example with actions/setup-node.',
    });
  }
}
