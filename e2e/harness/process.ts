import { type ChildProcess, spawn } from 'node:child_process';

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order in which they arrived. */
  readonly output: string;
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the output holds a text; rejects if the process ends before. */
  printed(text: string): Promise<void>;
}

/** Where and with which environment processes run. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** No command of a test takes longer; a hanging one fails with what it printed. */
const LIMIT_MS = 120_000;

/** Starts a program. Nothing is inherited but the file system. */
export function start(command: string, args: readonly string[], { cwd, env }: Surroundings): Running {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '', output: '' };
  const watchers = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (piece: string) => {
      text[stream] += piece;
      text.output += piece;
      for (const look of watchers) look();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ code, signal, ...text });
    });
  });
  const printed = async (wanted: string): Promise<void> => {
    const seen = new Promise<true>((resolve) => {
      const look = (): void => {
        if (!text.output.includes(wanted)) return;
        watchers.delete(look);
        resolve(true);
      };
      watchers.add(look);
      look();
    });
    const first = await Promise.race([seen, ended]);
    if (first === true) return;
    throw new Error(
      `\`${command} ${args.join(' ')}\` ended before it printed ${JSON.stringify(wanted)}:\n${text.output}`,
    );
  };
  return { child, ended, printed };
}

/** The end of a process that has to end with `code`; throws with its output otherwise. */
export function expectCode(ended: Ended, code: number, what: string): Ended {
  if (ended.code === code) return ended;
  throw new Error(`${what}: exit ${ended.code ?? ended.signal} instead of ${code}\n${ended.output}`);
}
