import { randomBytes } from 'node:crypto';
import fs, {
  closeSync,
  copyFileSync,
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
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { digestOf, hexOf } from '../model/digest.js';
import { asObject, parseJson } from '../model/json.js';
import { type RelPath, tryParseRelPath } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { writeWhole } from '../util/whole-io.js';
import { carryIgnored, refuseBlocked } from './carry-ignored.js';
import { indexPath } from './stat-index.js';
import { indexDir, movesDir, possibleMovesDirs } from './workspace.js';

/** The steps of an `apply`: each can be done twice. Paths are relative to the out; staged files lie in `files/<number>`. */
export interface ApplySteps {
  readonly addDirectories: readonly string[];
  readonly put: readonly string[];
  readonly removeFiles: readonly string[];
  readonly removeDirectories: readonly string[];
}

type Plan =
  | { readonly do: 'run'; readonly hadOld: boolean }
  | { readonly do: 'swap' }
  | ({ readonly do: 'apply' } & ApplySteps);

/**
 * The folder in which one out is replaced; see "Moves" in `docs/format.md`. All of it happens under the lease of the out's stage, so there is
 * at most one at a time; whoever takes that lease calls {@link recoverMove} first.
 */
export interface Move {
  /** Absolute path of the workspace root. */
  readonly root: string;
  readonly path: RelPath;
  readonly dir: string;
  /** Absolute path of the out. */
  readonly target: string;
  /** Path of the out's stat index. */
  readonly index: string;
}

/** Where an out is replaced. Nothing is made yet. */
export function moveOf(root: string, path: RelPath): Move {
  return {
    root,
    path,
    dir: join(movesDir(root, path), moveKey(path)),
    target: join(root, path),
    index: indexPath(indexDir(root), path),
  };
}

/** Throws `ERR_OUT_MODIFIED` if something in the old version that `.sluiceignore` names has no place in what a command made. */
export function checkIgnored(move: Move): void {
  refuseBlocked(move.root, move.path, oldPath(move), move.target);
}

/** Absolute path of what lay in the place of the out before. */
export function oldPath(move: Move): string {
  return join(move.dir, 'old');
}

/** A stat index that is written here takes its place together with what it describes, by whoever finishes the move. */
export function stagedIndexPath(move: Move): string {
  return join(move.dir, 'index');
}

/**
 * Moves what lies in the place of an out aside, before a command makes it anew. The plan is written afterwards: without it no command has run yet, so
 * what lies in the place of the out is still the original.
 */
export function moveAside(move: Move): void {
  rmSync(move.dir, { recursive: true, force: true });
  mkdirSync(move.dir, { recursive: true });
  mkdirSync(dirname(move.target), { recursive: true });
  const hadOld = renameIfThere(move.target, oldPath(move));
  writePlan(move, { do: 'run', hadOld });
}

/**
 * Puts back what {@link moveAside} moved, after a command failed; what the command left there is removed. Nothing is touched if the move was not begun
 * or is finished.
 */
export function putBack(move: Move): void {
  const old = oldPath(move);
  const plan = readPlan(move);
  const hasOld = isThere(old);
  if (plan?.do !== 'run' && !hasOld) return;
  // An old one that is gone from here was put back before, by a process that died then.
  if (plan?.do === 'run' && plan.hadOld === hasOld) rmSync(move.target, { recursive: true, force: true });
  renameIfThere(old, move.target);
  finish(move);
}

/** Ends a move whose result is in place; what lay there before is deleted, but for what `.sluiceignore` names, which is carried over. */
export function finish(move: Move): void {
  const done = `${move.dir}.done-${randomBytes(6).toString('hex')}`;
  if (renameIfThere(move.dir, done)) drop(move, done);
}

/** Prepares to replace a whole out: the caller fills `new`, then calls {@link swapIn}. Returns the absolute path of `new`. */
export function beginSwap(move: Move): string {
  begin(move, { do: 'swap' });
  return join(move.dir, 'new');
}

/** Puts `new` into the place of the out, at once. */
export function swapIn(move: Move): void {
  mkdirSync(dirname(move.target), { recursive: true });
  renameIfThere(move.target, oldPath(move));
  renameSync(join(move.dir, 'new'), move.target);
  placeIndex(move);
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

/** Whether an out is being replaced, or a dead owner left something of that. Makes nothing. */
export function isMoving(root: string, path: RelPath): boolean {
  const key = moveKey(path);
  return possibleMovesDirs(root, path).some((dir) => namesIn(dir).some((name) => name.startsWith(key)));
}

/** Finishes or undoes what a dead owner left. Returns what was done, for a message. */
export function recoverMove(move: Move): 'nothing' | 'put back' | 'finished' | 'dropped' {
  dropDone(move);
  if (!existsSync(move.dir)) return 'nothing';
  const plan = readPlan(move);
  if (plan?.do === 'apply') {
    applySteps(move, plan);
    finish(move);
    return 'finished';
  }
  if (plan?.do === 'swap') return recoverSwap(move);
  // Without a plan nothing was done yet but moving the original aside.
  const hasOld = isThere(oldPath(move));
  if (plan !== undefined || !isThere(move.target)) putBack(move);
  finish(move);
  return plan !== undefined || hasOld ? 'put back' : 'dropped';
}

function recoverSwap(move: Move): 'put back' | 'finished' | 'dropped' {
  const staged = join(move.dir, 'new');
  const hasOld = isThere(oldPath(move));
  let done: 'finished' | 'dropped' = 'dropped';
  if (hasOld && !isThere(move.target)) {
    // The old one was moved aside only when the new one was whole.
    renameSync(isThere(staged) ? staged : oldPath(move), move.target);
    done = 'finished';
  }
  if (!isThere(staged) && isThere(move.target)) placeIndex(move);
  finish(move);
  return done;
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
    writeWhole(fs, fd, Buffer.from(JSON.stringify(plan)));
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
  if (kind === 'swap') return { do: kind };
  if (kind === 'run') return { do: kind, hadOld: plan.get('hadOld') === true };
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
  mkdirSync(move.target, { recursive: true });
  for (const path of steps.removeFiles) unlinkIfThere(join(move.target, path));
  for (const path of steps.removeDirectories) rmdirIfEmpty(join(move.target, path));
  for (const path of steps.addDirectories) mkdirSync(join(move.target, path), { recursive: true });
  steps.put.forEach((path, n) => {
    renameIfThere(join(move.dir, 'files', String(n)), join(move.target, path));
  });
  placeIndex(move);
}

function placeIndex(move: Move): void {
  const staged = stagedIndexPath(move);
  if (!isThere(staged)) return;
  mkdirSync(dirname(move.index), { recursive: true });
  try {
    renameSync(staged, move.index);
  } catch (error) {
    // The out lies on another file system than `.sluice/`, and so do its moves.
    if (errnoOf(error) !== 'EXDEV') throw error;
    copyFileSync(staged, move.index);
  }
}

function dropDone(move: Move): void {
  const parent = dirname(move.dir);
  const prefix = `${basename(move.dir)}.done-`;
  for (const name of namesIn(parent)) {
    if (name.startsWith(prefix)) drop(move, join(parent, name));
  }
}

/** Mostly there is no such folder, and asking first costs less than an error. */
function namesIn(dir: string): string[] {
  try {
    return existsSync(dir) ? readdirSync(dir) : [];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function drop(move: Move, done: string): void {
  const old = join(done, 'old');
  if (isThere(old)) carryIgnored(move.root, move.path, old, move.target);
  rmSync(done, { recursive: true, force: true });
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
