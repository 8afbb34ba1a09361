import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asSluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import type { BeginProgress } from '../util/progress.js';
import { changeTime } from './change-time.js';
import { loadIgnore } from './ignore-file.js';
import { abandonMove, applyIn, beginApply, beginSwap, type Move, moveOf, swapIn } from './moves.js';
import { outIndexPath } from './observe.js';
import { type PlaceContext, placeFiles, snapshotPath } from './place.js';
import type { LinkKind } from './place-batch.js';
import { type Change, type Delta, type PathFilter, planDelta, plannedSnapshot } from './plan-placement.js';
import { entryPath, type Snapshot } from './snapshot.js';
import { writeIndex } from './stat-index.js';
import type { IgnoreFilter } from './walk.js';
import { absolutePath, type Workspace } from './workspace.js';

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
 * a later run finishes. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED` before anything in the workspace was touched.
 */
export async function checkoutOut(
  workspace: Workspace,
  path: RelPath,
  root: OutRoot,
  now: Snapshot | undefined,
  options: CheckoutOptions,
): Promise<CheckoutCount> {
  const wanted = plannedSnapshot(workspace.store.reader, root, basename(path));
  const move = moveOf(workspace.root, path);
  const delta = now === undefined ? undefined : planDelta(now, wanted);
  const context = { ...options, bulk: workspace.bulk, storeDir: workspace.store.layout.dir };
  try {
    const count =
      delta !== undefined && now !== undefined && isSmall(delta)
        ? await applyDelta(move, delta, now, wanted, context)
        : await replaceWhole(workspace, path, move, wanted, now, context);
    writeIndex(outIndexPath(workspace, path), wanted, undefined);
    return count;
  } catch (error) {
    throw asSluiceError(error);
  }
}

/**
 * Adds some files of an out that are not there yet, and marks the out as partial. Files that are in place stay as they are.
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
  const present = new Set((now?.directories ?? []).flatMap((d) => d.names.map((_, i) => entryPath(d, i))));
  const wanted = plannedSnapshot(
    workspace.store.reader,
    root,
    basename(path),
    (file) => present.has(file) || filter(file),
  );
  if (wanted.shape === 'file') return checkoutOut(workspace, path, root, now, options);
  const delta = planDelta(now ?? { shape: 'directory', directories: [] }, wanted);
  if (delta === undefined) return checkoutOut(workspace, path, root, now, options);
  const context = { ...options, bulk: workspace.bulk, storeDir: workspace.store.layout.dir };
  const move = moveOf(workspace.root, path);
  mkdirSync(absolutePath(workspace, path), { recursive: true });
  const count = await applyDelta(move, delta, now ?? wanted, wanted, context);
  writeIndex(outIndexPath(workspace, path), wanted, isWhole(wanted, root) ? undefined : root.digest);
  return count;
}

function isWhole(snapshot: Snapshot, root: OutRoot): boolean {
  const files = snapshot.directories.reduce((sum, { kinds }) => sum + kinds.filter((kind) => kind !== TREE).length, 0);
  return files === root.files;
}

function isSmall(delta: Delta): boolean {
  return delta.put.length + delta.removeFiles.length <= DELTA_SHARE * (delta.unchanged + delta.put.length);
}

async function replaceWhole(
  workspace: Workspace,
  path: RelPath,
  move: Move,
  wanted: Snapshot,
  now: Snapshot | undefined,
  context: PlaceContext,
): Promise<CheckoutCount> {
  const staging = beginSwap(move);
  const files = allFiles(wanted);
  try {
    if (wanted.shape === 'file') {
      await placeFiles('', files, () => staging, context);
    } else {
      for (const { path: below } of wanted.directories) mkdirSync(below === '' ? staging : join(staging, below));
      await placeFiles(staging, files, snapshotPath, context);
    }
  } catch (error) {
    abandonMove(move);
    throw error;
  }
  const ignore = loadIgnore(workspace.root, path);
  const target = absolutePath(workspace, path);
  swapIn(move, (old) => {
    if (ignore !== undefined) carryIgnored(old, target, '', ignore);
  });
  // Renaming moves the change time of a file, not that of files in a directory.
  if (wanted.shape === 'file') for (const file of files) refreshStat(target, file);
  return { written: files.length, removed: countGone(now, wanted), unchanged: 0, bytes: bytesOf(files) };
}

async function applyDelta(
  move: Move,
  delta: Delta,
  now: Snapshot,
  wanted: Snapshot,
  context: PlaceContext,
): Promise<CheckoutCount> {
  keepStats(now, wanted);
  if (delta.put.length + delta.removeFiles.length + delta.addDirectories.length + delta.removeDirectories.length > 0) {
    const staging = beginApply(move);
    const order = new Map(delta.put.map((file, n) => [file, n]));
    try {
      await placeFiles(staging, delta.put, (file) => String(order.get(file)), context);
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

function allFiles(snapshot: Snapshot): Change[] {
  const files: Change[] = [];
  for (const directory of snapshot.directories) {
    for (let entry = 0; entry < directory.kinds.length; entry++) {
      if (directory.kinds[entry] !== TREE) files.push({ directory, entry });
    }
  }
  return files;
}

function countGone(now: Snapshot | undefined, wanted: Snapshot): number {
  if (now === undefined) return 0;
  const kept = new Set(allFiles(wanted).map(snapshotPath));
  return allFiles(now).filter((file) => !kept.has(snapshotPath(file))).length;
}

function bytesOf(files: readonly Change[]): number {
  return files.reduce((sum, { directory, entry }) => sum + (directory.sizes[entry] ?? 0), 0);
}

/** What `.sluiceignore` names is not Sluice's: it moves into the new out. */
function carryIgnored(from: string, to: string, below: string, ignore: IgnoreFilter): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (ignore(path, entry.isDirectory())) {
      mkdirSync(dirname(target), { recursive: true });
      if (lstatSync(target, { throwIfNoEntry: false }) === undefined) renameSync(source, target);
      else if (entry.isDirectory()) carryIgnored(source, target, path, () => true);
    } else if (entry.isDirectory()) {
      carryIgnored(source, target, path, ignore);
    }
  }
}
