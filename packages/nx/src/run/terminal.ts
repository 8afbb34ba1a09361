import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * With its daemon, Nx runs the hooks of plugins there, and what they print goes to a log. The tasks are started by the Nx that the user started, so they know where that one prints: one of
 * them notes it beside what became of it, and the hook prints there.
 */

/** Set for the tasks of a command whose hooks run in the daemon of Nx. */
export const TERMINAL_VARIABLE = 'SLUICE_RUN_TERMINAL';

const FILE = 'terminal';

type Env = Readonly<Record<string, string | undefined>>;

/** Asks the tasks of a command to note the terminal, where this process is of the daemon. */
export function askForTerminal(env: Record<string, string | undefined>, runId: string): void {
  // Another value each time: Nx hands on to the tasks only what a hook has changed.
  if (isOfDaemon(env)) env[TERMINAL_VARIABLE] = runId;
}

/** Notes in a folder the terminal that Nx prints to, if it was asked for and there is one. */
export function noteTerminal(env: Env, dir: string): void {
  const terminal = env[TERMINAL_VARIABLE] === undefined ? undefined : terminalOf(process.ppid);
  if (terminal !== undefined) writeFileSync(join(dir, FILE), terminal);
}

/** The terminal that was noted in a folder, where this process is of the daemon. */
export function notedTerminal(env: Env, dir: string): string | undefined {
  try {
    return isOfDaemon(env) ? readFileSync(join(dir, FILE), 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** Prints to a terminal of this user; `false` if it is none, or is gone. */
export function printTo(terminal: string, text: string): boolean {
  if (!isOwnTerminal(terminal)) return false;
  try {
    const fd = openSync(terminal, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      writeSync(fd, text);
      return true;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

function isOfDaemon({ NX_DAEMON_PROCESS }: Env): boolean {
  return NX_DAEMON_PROCESS === 'true';
}

/** The terminal that a process prints to; on macOS the one that it runs on. */
function terminalOf(pid: number): string | undefined {
  try {
    const path =
      process.platform === 'linux'
        ? readlinkSync(`/proc/${pid}/fd/1`)
        : `/dev/${execFileSync('ps', ['-o', 'tty=', '-p', String(pid)], { encoding: 'utf8' }).trim()}`;
    return isOwnTerminal(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function isOwnTerminal(path: string): boolean {
  if (!/^\/dev\/(?:pts\/\d+|tty[\w.]+)$/.test(path)) return false;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isCharacterDevice() === true && stat.uid === process.getuid?.();
}
