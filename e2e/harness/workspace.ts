import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { environment } from './environment.js';
import { installed } from './installed.js';
import { type Ended, expectCode, type Running, start } from './process.js';

/** Files of a workspace by path: text, bytes, or an object for JSON. */
export type Files = Readonly<Record<string, string | Uint8Array | object>>;

/** A real Nx workspace in a git repository of its own. Commands throw unless they end as they should. */
export class Workspace {
  /** Absolute path; it holds a space. */
  readonly root: string;
  readonly env: Record<string, string>;

  /** @internal Use {@link createWorkspace}. */
  constructor(root: string, env: Record<string, string>) {
    this.root = root;
    this.env = env;
  }

  /** The same workspace for processes with another environment. */
  with(env: Record<string, string>): Workspace {
    return new Workspace(this.root, env);
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  write(files: Files): void {
    for (const [path, content] of Object.entries(files)) {
      const target = this.path(path);
      mkdirSync(dirname(target), { recursive: true });
      const isBytes = typeof content === 'string' || content instanceof Uint8Array;
      writeFileSync(target, isBytes ? content : `${JSON.stringify(content, null, 2)}\n`);
    }
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  exists(path: string): boolean {
    return existsSync(this.path(path));
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true });
  }

  /** SHA-256 of a file, in hex. */
  sha256(path: string): string {
    return createHash('sha256')
      .update(readFileSync(this.path(path)))
      .digest('hex');
  }

  /** SHA-256 of every file below a directory, by relative path. */
  hashes(path: string): Record<string, string> {
    const entries = readdirSync(this.path(path), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const base = this.path(path).length + 1;
    return Object.fromEntries(
      files.sort().map((file) => [file.slice(base), this.sha256(file.slice(this.root.length + 1))]),
    );
  }

  /** Starts a program in the workspace; those of `node_modules/.bin` come first. */
  start(command: string, ...args: string[]): Running {
    const local = this.path('node_modules/.bin', command);
    return start(existsSync(local) ? local : command, args, { cwd: this.root, env: this.env });
  }

  /** Runs a program and gives back how it ended, well or not. */
  async try(command: string, ...args: string[]): Promise<Ended> {
    return await this.start(command, ...args).ended;
  }

  async run(command: string, ...args: string[]): Promise<Ended> {
    return expectCode(await this.try(command, ...args), 0, [command, ...args].join(' '));
  }

  async sluice(...args: string[]): Promise<string> {
    return (await this.run('sluice', ...args)).stdout;
  }

  async git(...args: string[]): Promise<string> {
    return (await this.run('git', ...args)).stdout;
  }

  /** Runs Nx; its output is that of the tasks too. */
  async nx(...args: string[]): Promise<string> {
    return (await this.run('nx', ...args)).output;
  }

  /** What a command of `sluice` prints with `--json`; a test's expectations are the check that it is a `T`. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.sluice(...args, '--json'));
  }

  /** The error of a command of `sluice` that has to end with `code`. */
  async failure(code: number, ...args: string[]): Promise<{ code: string; message: string; hint?: string }> {
    const ended = expectCode(await this.try('sluice', ...args, '--json'), code, args.join(' '));
    return JSON.parse(ended.stdout).error;
  }

  /** Commits everything that git does not ignore. */
  async commitAll(message: string): Promise<string> {
    await this.git('add', '-A');
    await this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  /** A clone beside this workspace, of it or of another repository, with packages and without any data. */
  async clone(name: string, from: string = this.root): Promise<Workspace> {
    const root = join(dirname(this.root), name);
    await this.git('clone', '--quiet', from, root);
    (await installed()).putInto(root);
    return new Workspace(root, this.env);
  }

  /** Deletes the workspace and everything beside it: clones, remotes, the home. */
  delete(): void {
    rmSync(dirname(this.root), { recursive: true, force: true });
  }
}

/** Makes a workspace with the packed packages and Nx installed, and commits it. */
export async function createWorkspace(files: Files = {}): Promise<Workspace> {
  const { manifest, putInto } = await installed();
  const parent = mkdtempSync(join(tmpdir(), 'sluice e2e '));
  const workspace = new Workspace(join(parent, 'workspace'), environment(join(parent, 'home')));
  workspace.write({
    'package.json': manifest,
    'nx.json': { useDaemonProcess: false, analytics: false, neverConnectToCloud: true },
    '.gitignore': 'node_modules/\n.nx/\n',
    ...files,
  });
  putInto(workspace.root);
  await workspace.git('init', '--quiet');
  await workspace.commitAll('Begin');
  return workspace;
}
