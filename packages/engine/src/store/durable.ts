import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.js';
import { writeWhole } from '../util/whole-io.js';
import type { Files } from './files.js';

/** `batch`: nothing gets its name before its bytes are on the disk. `none`: for scratch stores that may be lost with the power. */
export type Durability = 'batch' | 'none';

/** Up to this many files are synced one by one; above it one `syncfs` is cheaper, although it waits for other programs' data too. */
const SYNC_ONE_BY_ONE = 16;

/** Makes the bytes of the given files durable. They must not have been renamed yet. */
export function syncFiles(files: Files, durability: Durability, dir: string, paths: readonly string[]): void {
  if (durability === 'none' || paths.length === 0) return;
  if (paths.length > SYNC_ONE_BY_ONE && process.platform === 'linux') {
    if (spawnSync('sync', ['-f', dir], { stdio: 'ignore' }).status === 0) return;
  }
  for (const path of paths) syncPath(files, path);
}

/** Makes the names in the given directories durable. A directory that is gone, because a collection found it empty, has none. */
export function syncDirectories(files: Files, durability: Durability, dirs: Iterable<string>): void {
  if (durability === 'none') return;
  for (const dir of dirs) {
    try {
      syncPath(files, dir);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

/**
 * Writes a small file so that its name always stands for whole bytes: temporary name beside it, sync, rename, sync of the directory.
 * Throws the system error after removing its own temporary file.
 */
export function writeFileDurably(
  files: Files,
  durability: Durability,
  path: string,
  tmpPath: string,
  content: string | Buffer,
): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    const fd = files.openSync(tmpPath, 'wx', 0o644);
    try {
      writeWhole(files, fd, bytes);
      if (durability === 'batch') files.fsyncSync(fd);
    } finally {
      files.closeSync(fd);
    }
    files.renameSync(tmpPath, path);
  } catch (error) {
    files.rmSync(tmpPath, { force: true });
    throw error;
  }
  syncDirectories(files, durability, [dirname(path)]);
}

function syncPath(files: Files, path: string): void {
  const fd = files.openSync(path, 'r');
  try {
    files.fsyncSync(fd);
  } catch (error) {
    // Some file systems cannot sync a directory or a read-only handle; they have no promise to keep.
    const code = errnoOf(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    files.closeSync(fd);
  }
}
