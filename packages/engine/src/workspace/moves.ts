import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { digestOf, hexOf } from '../model/digest.js';
import { asObject, parseJson } from '../model/json.js';
import { type RelPath, tryParseRelPath } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { movesDir } from './workspace.js';

/** The steps of an `apply`: each can be done twice. Paths are relative to the out; staged files lie in `files/<number>`. */
export interface ApplySteps {
  readonly addDirectories: readonly string[];
  readonly put: readonly string[];
  readonly removeFiles: readonly string[];
  readonly removeDirectories: readonly string[];
}

type Plan = { readonly do: 'run' } | { readonly do: 'swap' } | ({ readonly do: 'apply' } & ApplySteps);

/**
 * The folder in which one out is replaced; see "Moves" in `docs/format.md`. All of it happens under the lease of the out's stage, so there is
 * at most one at a time; whoever takes that lease calls {@link recoverMove} first.
 */
export interface Move {
  readonly dir: string;
  /** Absolute path of the out. */
  readonly target: string;
}

/** Where an out is replaced. Nothing is made yet. */
export function moveOf(root: string, path: RelPath): Move {
  return { dir: join(movesDir(root, path), moveKey(path)), target: join(root, path) };
}

/**
 * Moves what lies in the place of an out aside, before a command makes it anew. The plan is written afterwards: without it no command has run yet, so
 * what lies in the place of the out is still the original.
 */
export function moveAside(move: Move): void {
  rmSync(move.dir, { recursive: true, force: true });
  mkdirSync(move.dir, { recursive: true });
  mkdirSync(dirname(move.target), { recursive: true });
  renameIfThere(move.target, join(move.dir, 'old'));
  writePlan(move, { do: 'run' });
}

/**
 * Puts back what {@link moveAside} moved, after a command failed; what the command left there is removed. Nothing is touched if the move was not begun
 * or is finished.
 */
export function putBack(move: Move): void {
  const old = join(move.dir, 'old');
  const hasRun = readPlan(move)?.do === 'run';
  if (!hasRun && !isThere(old)) return;
  if (hasRun) rmSync(move.target, { recursive: true, force: true });
  renameIfThere(old, move.target);
  finish(move);
}

/** Ends a move whose result is in place; what lay there before is deleted. */
export function finish(move: Move): void {
  const done = `${move.dir}.done-${randomBytes(6).toString('hex')}`;
  if (!renameIfThere(move.dir, done)) return;
  rmSync(done, { recursive: true, force: true });
}

/** Prepares to replace a whole out: the caller fills `new`, then calls {@link swapIn}. Returns the absolute path of `new`. */
export function beginSwap(move: Move): string {
  begin(move, { do: 'swap' });
  return join(move.dir, 'new');
}

/** Puts `new` into the place of the out, at once. `keepOld` may carry things over from the old one, given by its path. */
export function swapIn(move: Move, carryOver: (oldPath: string) => void = () => undefined): void {
  const old = join(move.dir, 'old');
  mkdirSync(dirname(move.target), { recursive: true });
  const replaced = renameIfThere(move.target, old);
  renameSync(join(move.dir, 'new'), move.target);
  if (replaced) carryOver(old);
  finish(move);
}

/** Prepares a change of a few files: the caller fills `files/<n>`, then calls {@link applyIn}. Returns the absolute path of `files`. */
export function beginApply(move: Move): string {
  rmSync(move.dir, { recursive: true, force: true });
  const files = join(move.dir, 'files');
  mkdirSync(files, { recursive: true });
  return files;
}

/** Writes the steps down and does them. */
export function applyIn(move: Move, steps: ApplySteps): void {
  const plan: Plan = { do: 'apply', ...steps };
  writePlan(move, plan);
  applySteps(move, steps);
  finish(move);
}

/** Gives a move up before anything in the place of the out was touched. */
export function abandonMove(move: Move): void {
  rmSync(move.dir, { recursive: true, force: true });
}

/** Finishes or undoes what a dead owner left. Returns what was done, for a message. */
export function recoverMove(move: Move): 'nothing' | 'put back' | 'finished' | 'dropped' {
  dropDone(move);
  if (!existsSync(move.dir)) return 'nothing';
  const plan = readPlan(move);
  const hasOld = isThere(join(move.dir, 'old'));
  const hasNew = isThere(join(move.dir, 'new'));
  if (plan === undefined || (plan.do === 'swap' && hasNew && isThere(move.target))) {
    if (plan === undefined && hasOld && !isThere(move.target)) renameSync(join(move.dir, 'old'), move.target);
    abandonMove(move);
    return 'dropped';
  }
  if (plan.do === 'run') {
    putBack(move);
    return 'put back';
  }
  if (plan.do === 'apply') applySteps(move, plan);
  else if (hasNew && hasOld) renameSync(join(move.dir, 'new'), move.target);
  else if (hasOld && !isThere(move.target)) renameSync(join(move.dir, 'old'), move.target);
  finish(move);
  return 'finished';
}

function begin(move: Move, plan: Plan): void {
  rmSync(move.dir, { recursive: true, force: true });
  mkdirSync(move.dir, { recursive: true });
  writePlan(move, plan);
}

/** The plan gets its name when it is whole and durable. */
function writePlan(move: Move, plan: Plan): void {
  const tmp = join(move.dir, 'plan.tmp');
  const fd = openSync(tmp, 'w');
  try {
    writeSync(fd, JSON.stringify(plan));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(tmp, join(move.dir, 'plan.json'));
}

/** A plan that is torn or of another shape counts as none. */
function readPlan(move: Move): Plan | undefined {
  const text = readIfPresent(join(move.dir, 'plan.json'));
  const fail = (): never => {
    throw new SluiceError('ERR_PATH_UNSAFE', `${move.dir} has a plan that cannot be read`);
  };
  try {
    return text === undefined ? undefined : parsePlan(asObject(parseJson(text, fail), '', fail), fail);
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}

function parsePlan(plan: ReadonlyMap<string, unknown>, fail: () => never): Plan {
  const kind = plan.get('do');
  if (kind === 'run' || kind === 'swap') return { do: kind };
  if (kind !== 'apply') return fail();
  const paths = (key: string): string[] => {
    const list = plan.get(key);
    if (!Array.isArray(list)) return fail();
    return list.map((path) =>
      typeof path === 'string' && path !== '' && tryParseRelPath(path) !== undefined ? path : fail(),
    );
  };
  return {
    do: 'apply',
    addDirectories: paths('addDirectories'),
    put: paths('put'),
    removeFiles: paths('removeFiles'),
    removeDirectories: paths('removeDirectories'),
  };
}

function applySteps(move: Move, steps: ApplySteps): void {
  for (const path of steps.removeFiles) unlinkIfThere(join(move.target, path));
  for (const path of steps.removeDirectories) rmdirIfEmpty(join(move.target, path));
  for (const path of steps.addDirectories) mkdirSync(join(move.target, path), { recursive: true });
  steps.put.forEach((path, n) => {
    renameIfThere(join(move.dir, 'files', String(n)), join(move.target, path));
  });
}

function dropDone(move: Move): void {
  const parent = dirname(move.dir);
  const prefix = `${basename(move.dir)}.done-`;
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function moveKey(path: RelPath): string {
  return hexOf(digestOf(path)).slice(0, 32);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && !isThere(from)) return false;
    throw error;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** A directory can hold ignored files; then it stays. */
function rmdirIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
