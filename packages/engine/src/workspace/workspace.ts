import { lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RelPath } from '../model/path.js';
import type { Store } from '../store/store.js';
import type { Bulk } from './bulk.js';
import type { LinkKind } from './place-batch.js';

/** A user's workspace with its store: what every operation on files needs. */
export interface Workspace {
  /** Absolute path of the workspace root. */
  readonly root: string;
  readonly store: Store;
  readonly bulk: Bulk;
  /** How files get from the store to the workspace, tried in order. */
  readonly link: readonly LinkKind[];
}

/** Absolute path of something in the workspace. */
export function absolutePath(workspace: Workspace, path: RelPath): string {
  return path === '' ? workspace.root : join(workspace.root, path);
}

/** The folder of the workspace's stat indexes and caches. It stays in the workspace even if the store is elsewhere, so it moves with it. */
export function indexDir(root: string): string {
  return join(root, '.sluice', 'index');
}

/** The folder for outs that are being replaced; on the same file system as the out, so that moving is renaming. */
export function movesDir(root: string, path: RelPath): string {
  const usual = usualMovesDir(root);
  mkdirSync(usual, { recursive: true });
  const parent = existingParent(join(root, path));
  if (lstatSync(parent).dev === lstatSync(usual).dev) return usual;
  return besideMovesDir(parent);
}

/** Where {@link movesDir} may be for an out whose parent exists; nothing is made or looked at. */
export function possibleMovesDirs(root: string, path: RelPath): string[] {
  return [usualMovesDir(root), besideMovesDir(dirname(join(root, path)))];
}

function usualMovesDir(root: string): string {
  return join(root, '.sluice', 'moves');
}

function besideMovesDir(parent: string): string {
  return join(parent, '.sluice-moves');
}

function existingParent(path: string): string {
  const parent = dirname(path);
  return lstatSync(parent, { throwIfNoEntry: false }) === undefined ? existingParent(parent) : parent;
}
