import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';

/** The unit of `st_blocks` (POSIX leaves it open; Linux and macOS have this). */
const BLOCK_BYTES = 512;

/** What lies on the disk below a path. */
export interface DiskUse {
  readonly files: number;
  /** Of the blocks that files and directories occupy, as `du` counts them. */
  readonly bytes: number;
}

/**
 * Adds up what occupies the disk at and below a path, as `du` does: blocks, not sizes; links not followed; a file with several names once. Nothing there is 0. What vanishes
 * meanwhile is left out.
 */
export function diskUse(path: string): DiskUse {
  return below(path, new Set());
}

/** `seen`: files with several names that were counted. */
function below(path: string, seen: Set<string>): DiskUse {
  const stat = lstatIfThere(path);
  if (stat === undefined) return { files: 0, bytes: 0 };
  if (!stat.isDirectory() && stat.nlink > 1n) {
    const name = `${stat.dev} ${stat.ino}`;
    if (seen.has(name)) return { files: 0, bytes: 0 };
    seen.add(name);
  }
  let files = stat.isDirectory() ? 0 : 1;
  let bytes = Number(stat.blocks) * BLOCK_BYTES;
  for (const name of stat.isDirectory() ? namesIn(path) : []) {
    const entry = below(join(path, name), seen);
    files += entry.files;
    bytes += entry.bytes;
  }
  return { files, bytes };
}

function lstatIfThere(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A part of the path is a file by now.
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
