import { dirname, join } from 'node:path';
import { errnoOf } from '../errors.js';
import { writeWhole } from '../util/whole-io.js';
import { syncDirectories } from './durable.js';
import { isFileOfLiveOwner, listNames } from './lease.js';
import { newOwner } from './owner.js';
import type { Store } from './store.js';

/**
 * The small JSON files of a store: records, notes, the list of workspaces. A name always stands for whole, durable bytes. The temporary
 * file lies beside its target and is named after its owner, so that what a killed process left can be told from what is being written.
 */

/** How often a write begins again because a collection removed the directory, empty, in the same moment. */
const ATTEMPTS = 5;

/** Writes a file or replaces it. */
export function putSmallFile(store: Store, path: string, text: string): void {
  withTemporary(store, path, text, (tmpPath) => store.files.renameSync(tmpPath, path));
}

/** Writes a file unless one of that name exists; of several processes exactly one gets `true`. */
export function addSmallFile(store: Store, path: string, text: string): boolean {
  return withTemporary(store, path, text, (tmpPath) => linkOrRename(store, tmpPath, path));
}

/** The text of a file, or `undefined` if there is none. */
export function readSmallFile(store: Store, path: string): string | undefined {
  try {
    return store.files.readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Deletes a file; returns whether there was one. */
export function removeSmallFile(store: Store, path: string): boolean {
  try {
    store.files.unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Deletes what killed writers left in a directory. */
export function removeTemporaries(store: Store, dir: string): void {
  for (const name of listNames(store.files, dir)) {
    if (!name.startsWith('.')) continue;
    const path = join(dir, name);
    if (!isFileOfLiveOwner(store.files, path, name.slice(1))) store.files.rmSync(path, { force: true });
  }
}

function withTemporary<T>(store: Store, path: string, text: string, name: (tmpPath: string) => T): T {
  const { files, durability } = store;
  const dir = dirname(path);
  for (let attempt = 1; ; attempt++) {
    const made = files.mkdirSync(dir, { recursive: true });
    const tmpPath = join(dir, `.${newOwner(files).name}`);
    try {
      write(store, tmpPath, text);
      const result = name(tmpPath);
      syncDirectories(files, durability, made === undefined ? [dir] : [dir, dirname(made)]);
      return result;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    } finally {
      files.rmSync(tmpPath, { force: true });
    }
  }
}

function write(store: Store, path: string, text: string): void {
  const fd = store.files.openSync(path, 'wx', 0o644);
  try {
    writeWhole(store.files, fd, Buffer.from(text));
    if (store.durability === 'batch') store.files.fsyncSync(fd);
  } finally {
    store.files.closeSync(fd);
  }
}

/** `link` fails where the name exists, `rename` does not. Where the file system has no links, the last of two writers wins. */
function linkOrRename(store: Store, from: string, to: string): boolean {
  try {
    store.files.linkSync(from, to);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error;
    if (store.files.statSync(to, { throwIfNoEntry: false }) !== undefined) return false;
    store.files.renameSync(from, to);
    return true;
  }
}
