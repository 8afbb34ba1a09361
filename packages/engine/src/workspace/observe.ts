import { realpathSync } from 'node:fs';
import { LOCK_FILE } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { BeginProgress } from '../util/progress.js';
import { buildTree } from './build-tree.js';
import { hashPending, pendingOf } from './hash-snapshot.js';
import { loadIgnore } from './ignore-file.js';
import type { Snapshot } from './snapshot.js';
import { applyIndex, indexPath, type PartMark, readIndex, type StatIndex, WHOLE, writeIndex } from './stat-index.js';
import { type IgnoreFilter, walk } from './walk.js';
import { absolutePath, indexDir, type Workspace } from './workspace.js';

/** What lies at a path now. */
export interface Observed extends PartMark {
  readonly snapshot: Snapshot;
  readonly root: OutRoot;
}

/** How to look at a path. */
export interface ObserveOptions {
  /** A dep may be a link, and links in it may lead anywhere; an out may not. */
  readonly as: 'dep' | 'out';
  /** Leaves entries out, besides what `.sluiceignore` names; `name` tells it from other looks at the same path. */
  readonly only?: { readonly name: string; readonly ignore: IgnoreFilter } | undefined;
  /** Reads `.sluiceignore` files, for somebody who looks at many paths at once. */
  readonly readIgnore?: ((path: string) => string | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly beginProgress?: BeginProgress | undefined;
}

/** Never part of a dep: what git, Nx and Sluice keep for themselves, and the locks, which change with every result. */
const NEVER_DEPS: ReadonlySet<string> = new Set(['.git', '.sluice', '.nx', LOCK_FILE]);

/**
 * Looks at a file or directory and gives the root that it would have, reading only what changed since the last look. Returns `undefined` if nothing
 * is there. Throws like `walk`, and `ERR_FILE_CHANGED`, `ERR_FILE_UNREADABLE` or `ERR_LINK_ESCAPES` for files.
 */
export async function observe(
  workspace: Workspace,
  path: RelPath,
  options: ObserveOptions,
): Promise<Observed | undefined> {
  const looked = await look(workspace, path, options);
  if (looked.snapshot === undefined) return undefined;
  const pending = pendingOf(looked.snapshot);
  const context = { bulk: workspace.bulk, signal: options.signal, beginProgress: options.beginProgress };
  const { shape } = looked.snapshot;
  const root = absolutePath(workspace, path);
  if (pending.length > 0) {
    // A dep that is a link to a file stands for that file; anything else that is a link is not followed.
    const read = options.as === 'dep' && shape === 'file' ? realpathSync(root) : root;
    await hashPending(read, shape, pending, options.as === 'out', context);
  }
  const observed = observedFrom(looked.snapshot, looked);
  if (!looked.same || pending.length > 0) {
    writeIndex(lookPath(workspace, path, options), looked.snapshot, observed);
  }
  return observed;
}

/** What was seen, once all its digests are known. */
export function observedFrom(snapshot: Snapshot, { index }: Look): Observed {
  const root = buildTree(snapshot);
  return { snapshot, root, ...partOf(snapshot, root, index) };
}

/** A part that was added to or changed by hand is what it is, but whoever takes it for the whole has to know. */
function partOf(snapshot: Snapshot, root: OutRoot, index: StatIndex | undefined): PartMark {
  const whole = index?.partOf ?? index?.changedPartOf;
  if (whole === undefined || whole === root.digest) return WHOLE;
  const isAsPut = index?.partOf !== undefined && isSameNode(snapshot, index);
  return isAsPut ? { ...WHOLE, partOf: whole } : { ...WHOLE, changedPartOf: whole };
}

/** What a walk saw, before any file is read. */
export interface Look {
  readonly snapshot: Snapshot | undefined;
  readonly index: StatIndex | undefined;
  /** Everything is as the index says, names included. */
  readonly same: boolean;
}

/** A walk with everything that the index knows filled in. Throws like `walk`. */
export async function look(workspace: Workspace, path: RelPath, options: ObserveOptions): Promise<Look> {
  const snapshot = await walk(absolutePath(workspace, path), {
    ignore: () => filterOf(loadIgnore(workspace.root, path, options.readIgnore), options),
    followRoot: options.as === 'dep',
    bulk: workspace.bulk,
    signal: options.signal,
  });
  if (snapshot === undefined) return { snapshot, index: undefined, same: false };
  const index = readIndex(lookPath(workspace, path, options));
  return { snapshot, index, same: applyIndex(snapshot, index) };
}

/** Path of the stat index of an out, or of a dep that is looked at whole. */
export function outIndexPath(workspace: Workspace, path: RelPath): string {
  return indexPath(indexDir(workspace.root), path);
}

function lookPath(workspace: Workspace, path: RelPath, { as, only }: ObserveOptions): string {
  // A dep that is no out of anybody can hold links that lead out of it, and leaves other names out: it has an index of its own.
  const subject = only === undefined ? (as === 'out' ? path : `dep\0${path}`) : `${only.name}\0${path}`;
  return indexPath(indexDir(workspace.root), subject);
}

function filterOf(ignore: IgnoreFilter | undefined, { as, only }: ObserveOptions): IgnoreFilter | undefined {
  if (as === 'out' && only === undefined) return ignore;
  return (path, isDirectory) => {
    if (as === 'dep' && NEVER_DEPS.has(path.slice(path.lastIndexOf('/') + 1))) return true;
    return ignore?.(path, isDirectory) === true || only?.ignore(path, isDirectory) === true;
  };
}

function isSameNode(snapshot: Snapshot, index: StatIndex | undefined): boolean {
  const before = index?.directories.get('')?.node;
  return before !== undefined && snapshot.directories[0]?.node?.equals(before) === true;
}
