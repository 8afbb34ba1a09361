import { spawn } from 'node:child_process';
import { guardOutput } from './guarded-output.js';
import type { Host } from './host.js';
import type { ChildCommand } from './nx-command.js';

/** How a child ended; `exitCode` is `null` if a signal ended it. */
export interface ChildEnd {
  readonly exitCode: number | null;
  readonly wasInterrupted: boolean;
}

/** Between the second signal of the runner and its kill there are 2.5 s. */
const LAST_WORDS_MS = 1000;
/** What Nx left in the background may hold its streams open for ever. */
const LEFTOVER_MS = 1000;

/**
 * Runs what the step is for, and shows what it prints, of which the runner obeys nothing. A signal goes on to the child and all that it started, as from a terminal; a
 * second one ends them. Throws if the program cannot be started.
 */
export async function runChild(
  host: Host,
  { program, args, shell }: ChildCommand,
  cwd: string,
  env: Record<string, string>,
  interruption: AbortSignal,
): Promise<ChildEnd> {
  const output = guardOutput(host.write);
  // A group of its own, so that a signal reaches all of it.
  const child = spawn(program, args, { cwd, env, shell, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const signalAll = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
  };
  let lastWords: NodeJS.Timeout | undefined;
  const interrupt = (): void => signalAll('SIGINT');
  const terminate = (): void => {
    signalAll('SIGTERM');
    lastWords = setTimeout(() => signalAll('SIGKILL'), LAST_WORDS_MS);
  };
  host.signals.on('SIGTERM', terminate);
  interruption.addEventListener('abort', interrupt, { once: true });
  if (interruption.aborted) interrupt();
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.stdout.on('data', output.pass);
      child.stderr.on('data', output.pass);
      child.on('close', resolve);
      child.on('exit', (code) => setTimeout(() => resolve(code), LEFTOVER_MS).unref());
    });
    return { exitCode, wasInterrupted: interruption.aborted };
  } finally {
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    output.end();
    clearTimeout(lastWords);
    host.signals.off('SIGTERM', terminate);
    interruption.removeEventListener('abort', interrupt);
  }
}
