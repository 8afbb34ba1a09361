import { lstatSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { asSluiceError, SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { RelPath } from '../model/path.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import type { BeginProgress } from '../util/progress.js';
import { buildTree } from './build-tree.js';
import { refuseBlocked } from './carry-ignored.js';
import { changeTime } from './change-time.js';
import { abandonMove, applyIn, beginApply, beginSwap, type Move, moveOf, stagedIndexPath, swapIn } from './moves.js';
import { type PlaceContext, placeFiles, snapshotPath } from './place.js';
import { explainTaken, type LinkKind } from './place-batch.js';
import { allFiles, type Change, type Delta, filterSnapshot, planDelta, plannedSnapshot } from './plan-placement.js';
import type { Snapshot } from './snapshot.js';
import { WHOLE, writeIndex } from './stat-index.js';
import type { Workspace } from './workspace.js';

/** How an out is put in place. */
export interface CheckoutOptions {
  readonly how: readonly LinkKind[];
  readonly readOnly: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly beginProgress?: BeginProgress | undefined;
}

/** Files that were made, removed and left as they were. */
export interface CheckoutCount {
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly bytes: number;
}

/** Above this share of changed files the whole out is replaced: it is as quick then, and simpler to undo. */
const DELTA_SHARE = 0.25;

/**
 * Makes an out be exactly `root`. `now` is what lies there, with all digests known; its bytes are known to the store, so they can be replaced.
 * The caller holds the stage's lease. The out is old or new at any moment that others can see, or, where few of many files change, becomes new by steps that
 * a later run finishes. Throws `ERR_OBJECT_MISSING`, `ERR_OBJECT_DAMAGED` or `ERR_OUT_MODIFIED` (see `refuseBlocked`) before anything in the workspace was touched.
 */
export async function checkoutOut(
  workspace: Workspace,
  path: RelPath,
  root: OutRoot,
  now: Snapshot | undefined,
  options: CheckoutOptions,
): Promise<CheckoutCount> {
  const wanted = plannedSnapshot(workspace.store.reader, root, basename(path));
  const delta = now === undefined ? undefined : planDelta(now, wanted);
  const small = delta !== undefined && isSmall(delta) ? delta : undefined;
  return place(workspace, path, { wanted, now, delta: small, partOf: undefined }, options);
}

/**
 * Adds some files of an out that are not there yet, and marks the out as partial. Files that are in place and the same in this root stay; others go.
 * The caller holds the stage's lease.
 */
export async function checkoutPart(
  workspace: Workspace,
  path: RelPath,
  root: OutRoot,
  now: Snapshot | undefined,
  filter: PathFilter,
  options: CheckoutOptions,
): Promise<CheckoutCount> {
  const whole = plannedSnapshot(workspace.store.reader, root, basename(path), filter);
  if (whole.shape === 'file') return checkoutOut(workspace, path, root, now, options);
  const kept = unchangedFiles(now, whole);
  const wanted = filterSnapshot(whole, (file) => kept.has(file) || filter(file));
  const partOf = buildTree(wanted).digest === root.digest ? undefined : root.digest;
  const delta = planDelta(now ?? { shape: 'directory', directories: [] }, wanted);
  return place(workspace, path, { wanted, now, delta, partOf }, options);
}

/** What is to lie in the place of an out; without a delta it is made anew. */
interface Placement {
  readonly wanted: Snapshot;
  readonly now: Snapshot | undefined;
  readonly delta: Delta | undefined;
  /** The root of which `wanted` is only a part. */
  readonly partOf: Digest | undefined;
}

async function place(
  workspace: Workspace,
  path: RelPath,
  placement: Placement,
  options: CheckoutOptions,
): Promise<CheckoutCount> {
  const { wanted, now, delta, partOf } = placement;
  const context = { ...options, bulk: workspace.bulk, storeDir: workspace.store.layout.dir };
  const move = moveOf(workspace.root, path);
  try {
    const count =
      delta === undefined
        ? await replaceWhole(move, placement, context)
        : await applyDelta(move, delta, now ?? wanted, placement, context);
    writeIndex(move.index, wanted, { ...WHOLE, partOf });
    return count;
  } catch (error) {
    throw asSluiceError(error);
  }
}

/** Paths of the files of `now` that are the same in `whole`. */
function unchangedFiles(now: Snapshot | undefined, whole: Snapshot): ReadonlySet<string> {
  const delta = now === undefined ? undefined : planDelta(now, whole);
  if (now === undefined || delta === undefined) return new Set();
  const files = new Set(allFiles(now).map(snapshotPath));
  for (const file of delta.put) files.delete(snapshotPath(file));
  return files;
}

function isSmall(delta: Delta): boolean {
  return delta.put.length + delta.removeFiles.length <= DELTA_SHARE * (delta.unchanged + delta.put.length);
}

async function replaceWhole(
  move: Move,
  { wanted, now, partOf }: Placement,
  context: PlaceContext,
): Promise<CheckoutCount> {
  const staging = beginSwap(move);
  const files = allFiles(wanted);
  try {
    if (wanted.shape === 'file') {
      await placeFiles('', files, () => staging, context);
    } else {
      for (const { path: below } of wanted.directories) makeDirectory(below === '' ? staging : join(staging, below));
      await placeFiles(staging, files, snapshotPath, context);
    }
    refuseBlocked(move.root, move.path, move.target, staging);
    stageIndex(move, wanted, partOf);
  } catch (error) {
    abandonMove(move);
    throw error;
  }
  swapIn(move);
  // Renaming moves the change time of a file, not that of files in a directory.
  if (wanted.shape === 'file') for (const file of files) refreshStat(move.target, file);
  return { written: files.length, removed: countGone(now, wanted), unchanged: 0, bytes: bytesOf(files) };
}

/**
 * That an out is only a part is known from its index alone, so the index has to come with the part, whoever finishes the move. The change times of
 * files that are renamed are wrong in it: they are read once more.
 */
function stageIndex(move: Move, wanted: Snapshot, partOf: Digest | undefined): void {
  if (partOf === undefined || writeIndex(stagedIndexPath(move), wanted, { ...WHOLE, partOf })) return;
  throw new SluiceError('ERR_IO', `the index of a part of ${move.target} cannot be written`, {
    hint: 'Check the space and the permissions of the directory .sluice.',
  });
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    throw explainTaken(error, path);
  }
}

async function applyDelta(
  move: Move,
  delta: Delta,
  now: Snapshot,
  { wanted, partOf }: Placement,
  context: PlaceContext,
): Promise<CheckoutCount> {
  keepStats(now, wanted);
  if (delta.put.length + delta.removeFiles.length + delta.addDirectories.length + delta.removeDirectories.length > 0) {
    const staging = beginApply(move);
    const order = new Map(delta.put.map((file, n) => [file, n]));
    try {
      await placeFiles(staging, delta.put, (file) => String(order.get(file)), context);
      stageIndex(move, wanted, partOf);
    } catch (error) {
      abandonMove(move);
      throw error;
    }
    applyIn(move, {
      addDirectories: delta.addDirectories.filter((below) => below !== ''),
      put: delta.put.map(snapshotPath),
      removeFiles: delta.removeFiles,
      removeDirectories: delta.removeDirectories,
    });
    // Renaming moves the change time of a file.
    for (const file of delta.put) refreshStat(join(move.target, snapshotPath(file)), file);
  }
  return {
    written: delta.put.length,
    removed: delta.removeFiles.length,
    unchanged: delta.unchanged,
    bytes: bytesOf(delta.put),
  };
}

/** What stays in place keeps the stats that it was seen with. */
function keepStats(now: Snapshot, wanted: Snapshot): void {
  const before = new Map(now.directories.map((directory) => [directory.path, directory]));
  for (const directory of wanted.directories) {
    const old = before.get(directory.path);
    if (old === undefined) continue;
    const rows = new Map(old.names.map((name, row) => [name, row]));
    directory.names.forEach((name, i) => {
      const row = rows.get(name);
      if (row === undefined) return;
      directory.mtimes[i] = old.mtimes[row] ?? 0;
      directory.ctimes[i] = old.ctimes[row] ?? 0;
      directory.inodes[i] = old.inodes[row] ?? 0;
    });
  }
}

function refreshStat(path: string, { directory, entry }: Change): void {
  const stat = lstatSync(path);
  directory.mtimes[entry] = stat.mtimeMs;
  directory.ctimes[entry] = changeTime(stat);
  directory.inodes[entry] = stat.ino;
}

function countGone(now: Snapshot | undefined, wanted: Snapshot): number {
  if (now === undefined) return 0;
  const kept = new Set(allFiles(wanted).map(snapshotPath));
  return allFiles(now).filter((file) => !kept.has(snapshotPath(file))).length;
}

function bytesOf(files: readonly Change[]): number {
  return files.reduce((sum, { directory, entry }) => sum + (directory.sizes[entry] ?? 0), 0);
}
