import { join, relative, resolve, sep } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { digestOf, hexOf } from '../model/digest.js';
import { asObject, asText, expectKeys, type Fail, parseJson, printBlock } from '../model/json.js';
import { listNames } from './lease.js';
import { putSmallFile, readSmallFile, removeSmallFile } from './small-file.js';
import type { Store } from './store.js';

/**
 * The workspaces whose locks a collection must respect. A workspace that the store lies inside of is noted relative to the store (`..` as a
 * rule), so a tree that is copied or renamed goes on being found and needs no second entry. Any other is noted by its absolute path.
 */
export interface RegisteredWorkspace {
  /** Absolute path as it is now. */
  readonly path: string;
  /** When it was last registered; ISO 8601, UTC. */
  readonly seen: string;
}

/** An entry of the registry, or why it cannot be read. */
export type ListedWorkspace =
  | ({ readonly kind: 'workspace'; readonly file: string } & RegisteredWorkspace)
  | { readonly kind: 'damaged'; readonly file: string; readonly problem: SluiceError };

const VERSION = 1;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Notes that a workspace uses this store. Must come before the workspace's first session, so that a collection that sees the session's result
 * sees the workspace too. An entry less than a day old is left as it is.
 */
export function registerWorkspace(store: Store, root: string, now: Date): void {
  const noted = notedPath(store, store.files.realpathSync(root));
  const file = entryFile(store, noted);
  const known = readEntry(store, file);
  if (known?.kind === 'workspace' && now.getTime() - Date.parse(known.seen) < DAY_MS) return;
  const block = printBlock([
    ['version', String(VERSION)],
    ['path', JSON.stringify(noted)],
    ['seen', JSON.stringify(now.toISOString())],
  ]);
  putSmallFile(store, file, `${block}\n`);
}

/** Every entry, sorted by path; damaged ones first. Whether a workspace still exists is for the caller to find out. */
export function listWorkspaces(store: Store): ListedWorkspace[] {
  const entries = listNames(store.files, store.layout.workspaces)
    .filter((name) => /^[0-9a-f]{64}[.]json$/.test(name))
    .flatMap((name) => readEntry(store, join(store.layout.workspaces, name)) ?? []);
  const key = (entry: ListedWorkspace): string => (entry.kind === 'damaged' ? '' : entry.path);
  return entries.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/**
 * Takes a workspace off the list; its locks protect nothing any more. A damaged entry is named by the path of its file.
 * Returns whether there was such an entry.
 */
export function forgetWorkspace(store: Store, path: string): boolean {
  const wanted = new Set([resolve(path), realPathIfThere(store, path)]);
  let forgotten = false;
  for (const entry of listWorkspaces(store)) {
    if (!wanted.has(entry.kind === 'workspace' ? entry.path : entry.file)) continue;
    forgotten = removeSmallFile(store, entry.file) || forgotten;
  }
  return forgotten;
}

/** `..` or further up for a workspace around the store; else the absolute path. */
function notedPath(store: Store, root: string): string {
  const storeDir = store.files.realpathSync(store.layout.dir);
  const inside = storeDir === root || storeDir.startsWith(root.endsWith(sep) ? root : root + sep);
  if (!inside) return root;
  return relative(storeDir, root).split(sep).join('/') || '.';
}

function entryFile(store: Store, noted: string): string {
  return join(store.layout.workspaces, `${hexOf(digestOf(noted))}.json`);
}

function readEntry(store: Store, file: string): ListedWorkspace | undefined {
  const text = readSmallFile(store, file);
  if (text === undefined) return undefined;
  const fail: Fail = (place, problem) => {
    throw new SluiceError('ERR_CONFIG', `${file}: ${place === '' ? 'it' : place} ${problem}`);
  };
  try {
    const entry = asObject(parseJson(text, fail), '', fail);
    if (entry.get('version') !== VERSION) fail('version', `is not ${VERSION}`);
    expectKeys(entry, ['version', 'path', 'seen'], '', fail);
    const noted = asText(entry.get('path'), 'path', fail);
    const seen = asText(entry.get('seen'), 'seen', fail);
    if (noted === '' || Number.isNaN(Date.parse(seen))) fail('', 'names no path or no time');
    return { kind: 'workspace', file, path: resolve(realPathIfThere(store, store.layout.dir), noted), seen };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { kind: 'damaged', file, problem: error };
  }
}

function realPathIfThere(store: Store, path: string): string {
  try {
    return store.files.realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return resolve(path);
    throw error;
  }
}
