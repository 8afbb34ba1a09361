import { type ChildProcess, spawn } from 'node:child_process';
import { SluiceError } from '../errors.js';
import type { SluiceEvent } from '../events.js';
import { withoutSecrets } from '../remote/storage/broker/access.js';
import type { Files } from '../store/files.js';
import { isProcessAlive, startTime } from '../store/owner.js';
import { whenAborted } from '../util/when-aborted.js';

/** What starting a command needs. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/** How a command ended; `signal` if it was killed. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** After this long a command that does not heed SIGTERM is killed. Nx kills its executors after 5 s. */
const GRACE_MS = 3000;

/** How long background processes may go on printing after their shell has ended. */
const LEFTOVER_MS = 500;

/**
 * Runs a command through the shell as a process group of its own, so that it can be stopped with everything that it started. Output arrives as events.
 * On abort the group gets SIGTERM and after 3 s SIGKILL; then `ERR_INTERRUPTED` is thrown.
 */
export async function runCommand(
  command: string,
  cwd: string,
  stage: string,
  context: CommandContext & { readonly emit: (event: SluiceEvent) => void },
  onStart: (group: CommandGroup) => void,
  files: Files,
): Promise<CommandResult> {
  const child = spawnShell(command, cwd, context.env);
  const { pid } = child;
  if (pid !== undefined) onStart({ pid, start: startTime(files, pid) ?? '0' });
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8');
    child[stream]?.on('data', (text: string) => context.emit({ type: 'output', stage, stream, text }));
  }
  return await ended(child, context.signal);
}

/** A command that can be ended by another process: its group leader and when that started. */
export interface CommandGroup {
  readonly pid: number;
  readonly start: string;
}

/** Ends a process group whose owner died, if it still is the one that was started. Waits until it is gone. */
export async function endGroup(files: Files, group: CommandGroup): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!groupExists(group.pid) || !isOurs(files, group)) return;
    signalGroup(group.pid, signal);
    for (let waitedMs = 0; waitedMs < GRACE_MS && groupExists(group.pid); waitedMs += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Runs a short command and gives what it printed. Throws `ERR_INTERRUPTED` on abort. */
export async function captureOutput(
  command: string,
  cwd: string,
  context: CommandContext,
): Promise<CommandResult & { readonly stdout: string; readonly stderr: string }> {
  const child = spawnShell(command, cwd, context.env);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { ...(await ended(child, context.signal)), stdout, stderr };
}

function spawnShell(command: string, cwd: string, env: CommandContext['env']): ChildProcess {
  // A command may come from anybody, and has no business with remotes nor with what is believed of them.
  return spawn(command, {
    cwd,
    env: withoutSecrets(env),
    shell: true,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess, signal: AbortSignal | undefined): Promise<CommandResult> {
  let killer: NodeJS.Timeout | undefined;
  let leftover: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.pid === undefined) return;
    const { pid } = child;
    signalGroup(pid, 'SIGTERM');
    killer ??= setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS);
  };
  const forget = whenAborted(signal, stop);
  if (signal?.aborted) stop();
  try {
    const result = await new Promise<CommandResult>((resolve, reject) => {
      child.on('error', (error) => {
        reject(
          new SluiceError('ERR_COMMAND_FAILED', `the shell cannot be started: ${error.message}`, { cause: error }),
        );
      });
      // "close" comes when its output has ended too. What the shell left in the background may hold its pipes open for ever.
      child.on('exit', () => {
        leftover = setTimeout(() => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'), LEFTOVER_MS);
      });
      child.on('close', (exitCode, killedBy) => resolve({ exitCode, signal: killedBy }));
    });
    if (signal?.aborted) throw new SluiceError('ERR_INTERRUPTED', 'interrupted');
    return result;
  } finally {
    forget();
    // What the shell left running in the background must not write into outs that are being committed.
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    clearTimeout(killer);
    clearTimeout(leftover);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone.
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A leader that is gone cannot be told from another, but a group keeps its number as long as it has members. */
function isOurs(files: Files, { pid, start }: CommandGroup): boolean {
  const now = startTime(files, pid);
  return now === undefined || now === '-1' || isProcessAlive(files, pid, start);
}
