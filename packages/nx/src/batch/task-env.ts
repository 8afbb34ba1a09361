import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { config } from 'dotenv';
import { expand } from 'dotenv-expand';
import type { BatchTask } from './nx-batch.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The environment of one task, and a name for what it was read from: environments with one name differ only in what Nx says about the task itself. */
export interface TaskEnv {
  readonly env: Env;
  readonly name: string;
}

/** Files that Nx has read before it starts a batch; in a process of its own a task sees what its own files say instead. */
const READ_BEFORE = ['.env', '.local.env', '.env.local'];

/**
 * Gives each task of a batch the environment that it has in a process of its own: the `.env` files of its project, target and configuration, and what Nx tells a task about
 * itself. Each file is read once.
 */
export function createTaskEnvs(root: string, batchEnv: Env): (task: BatchTask) => TaskEnv {
  const bare = withoutFiles(root, batchEnv);
  const listed = new Map<string, ReadonlySet<string>>();
  const read = new Map<string, Env>();
  const filesIn = (dir: string): ReadonlySet<string> => {
    const known = listed.get(dir) ?? listEnvFiles(join(root, dir));
    listed.set(dir, known);
    return known;
  };
  return (task) => {
    const dirs = [...new Set([task.projectRoot ?? '', ''])];
    const files =
      batchEnv.NX_LOAD_DOT_ENV_FILES === 'true'
        ? dirs.flatMap((dir) =>
            [...namesOf(task)].filter((name) => filesIn(dir).has(name)).map((name) => join(dir, name)),
          )
        : [];
    const name = files.join('\0');
    const shared = read.get(name) ?? withoutOutput(withFiles(root, bare, files));
    read.set(name, shared);
    return { env: { ...shared, ...aboutTask(task) }, name };
  };
}

/** The names of the files that count for a task, most important first, as Nx orders them. */
function* namesOf({ target: { target, configuration } }: BatchTask): Generator<string> {
  const words = configuration ? [`${target}.${configuration}`, configuration, target] : [target];
  for (const word of words) yield* [`.env.${word}.local`, `.env.${word}`, `.${word}.local.env`, `.${word}.env`];
  yield* ['.env.local', '.local.env', '.env'];
}

function listEnvFiles(dir: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(dir).filter((name) => name.startsWith('.') && name.includes('env')));
  } catch {
    return new Set();
  }
}

function withFiles(root: string, env: Env, files: readonly string[]): Env {
  if (files.length === 0) return env;
  const filled = definedOnly(env);
  load(
    files.map((file) => join(root, file)),
    filled,
  );
  return filled;
}

function withoutFiles(root: string, env: Env): Env {
  const bare = definedOnly(env);
  for (const file of READ_BEFORE) {
    const said: Record<string, string> = {};
    load([join(root, file)], said);
    for (const [name, value] of Object.entries(said)) if (bare[name] === value) delete bare[name];
  }
  return bare;
}

/** Where Nx sends the output of the batch is not where that of a task goes. */
function withoutOutput(env: Env): Env {
  const { NX_TERMINAL_OUTPUT_PATH: _, NX_STREAM_OUTPUT: __, NX_PREFIX_OUTPUT: ___, ...own } = env;
  return own;
}

/** What is set already stays; all files are read before references between them are followed. */
function load(paths: string[], env: Record<string, string>): void {
  expand({ ...config({ path: paths, processEnv: env }), processEnv: env });
}

function definedOnly(env: Env): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function aboutTask({ target, hash }: BatchTask): Env {
  return {
    NX_TASK_TARGET_PROJECT: target.project,
    NX_TASK_TARGET_TARGET: target.target,
    ...(target.configuration === undefined ? {} : { NX_TASK_TARGET_CONFIGURATION: target.configuration }),
    ...(hash === undefined ? {} : { NX_TASK_HASH: hash }),
    LERNA_PACKAGE_NAME: target.project,
    NX_TUI: 'false',
  };
}
