import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { errnoOf, SluiceError } from '../errors.js';

/** What a git command printed, and how it ended. */
export interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
  /** Trimmed. */
  readonly stderr: string;
}

/** How git is run. */
export interface GitOptions {
  /** Bytes for its standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
  /** The environment of git; that of this process when it is not given. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Locks of the index are never taken, and paths are printed as they are. */
const GLOBAL_OPTIONS = ['--no-optional-locks', '--no-pager', '-c', 'core.quotepath=false'];

/** Runs git in `root` to its end, whatever its status. Throws `ERR_REVISION` if git is not installed and `ERR_INTERRUPTED` after an abort. */
export async function runGit(root: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const git = startGit(root, args, options);
  const stdout: Buffer[] = [];
  for await (const chunk of git.stdout) stdout.push(chunk);
  return { ...(await git.ended), stdout: Buffer.concat(stdout) };
}

/** Like {@link runGit}; throws `ERR_REVISION` with what git said if its status is not 0. Returns what it printed. */
export async function git(root: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const result = await runGit(root, args, options);
  if (result.status !== 0) throw await failureOf(root, result, options);
  return result.stdout;
}

/** A running git whose output is read while it is written; `ended` settles when it has ended. */
export interface RunningGit {
  readonly stdout: AsyncIterable<Buffer>;
  readonly ended: Promise<Pick<GitResult, 'status' | 'stderr'>>;
  /** Ends it early; nothing happens if it has ended. */
  readonly stop: () => void;
}

/** Starts git. Its arguments are a list, so no shell reads them. */
export function startGit(root: string, args: readonly string[], { input, signal, env }: GitOptions = {}): RunningGit {
  const child = spawn('git', [...GLOBAL_OPTIONS, ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    ...(signal === undefined ? {} : { signal }),
    ...(env === undefined ? {} : { env }),
  });
  // git may end before it has read everything; how it ended then says more than the broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const ended = untilEnd(child);
  // Whoever reads the output waits for the end afterwards; until then a failure is not unhandled.
  ended.catch(() => {});
  return { stdout: child.stdout, ended, stop: () => child.kill() };
}

/** What a failed git means: there is no repository, or the first line that it wrote. */
export async function failureOf(
  root: string,
  { status, stderr }: Pick<GitResult, 'status' | 'stderr'>,
  { signal, env }: GitOptions,
): Promise<SluiceError> {
  // Asked once more, because the words of the message depend on the language of the user.
  const repository = await runGit(root, ['rev-parse', '--git-dir'], { signal, env });
  const [first = ''] = (repository.status === 0 ? stderr : repository.stderr).split('\n');
  const said = first.replace(/^fatal: /, '') || `ended with status ${status}`;
  return repository.status === 0
    ? new SluiceError('ERR_REVISION', `git: ${said}`, { hint: 'Try the same with git itself, in the workspace root.' })
    : new SluiceError('ERR_REVISION', `${root} is not in a git repository that can be used: ${said}`, {
        hint: 'Revisions and history need one: run `git init`, or do without them.',
      });
}

function untilEnd(child: ChildProcessByStdio<Writable, Readable, Readable>): RunningGit['ended'] {
  const stderr: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(startProblem(error)));
    child.on('close', (status) =>
      resolve({ status: status ?? -1, stderr: Buffer.concat(stderr).toString('utf8').trim() }),
    );
  });
}

function startProblem(error: Error): SluiceError {
  if (error.name === 'AbortError') return new SluiceError('ERR_INTERRUPTED', 'interrupted', { cause: error });
  const missing = errnoOf(error) === 'ENOENT';
  return new SluiceError('ERR_REVISION', missing ? 'git is not found' : `git cannot be started: ${error.message}`, {
    hint: 'Install git, and see that it is on the PATH.',
    cause: error,
  });
}
