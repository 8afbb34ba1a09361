import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { SluiceError } from '../../errors.js';
import type { RelPath } from '../../model/path.js';
import { movesDir } from '../workspace.js';
import type { ArchiveLimits } from './check-sizes.js';

/** What an archive unpacks to. */
export interface UnpackReport {
  readonly files: number;
  readonly bytes: number;
  /** `false`: the same files were there. */
  readonly written: boolean;
}

/** How an archive is unpacked. */
export interface UnpackOptions {
  /** Absolute path of the file that it comes from. */
  readonly from: string;
  /** Absolute path of the workspace. */
  readonly root: string;
  /** The directory that the entries come to lie in. */
  readonly path: RelPath;
  /** Only look whether it could be done; no bytes are read. */
  readonly dryRun?: boolean;
  readonly limits?: ArchiveLimits;
  readonly signal?: AbortSignal | undefined;
}

/** Lets `fill` fill an empty directory on the file system of `path`, which then takes that place with all that is in it, or not at all. */
export async function atOnce(root: string, path: RelPath, fill: (content: string) => Promise<void>): Promise<void> {
  const target = join(root, path);
  const staging = mkdtempSync(join(movesDir(root, path), 'unpack-'));
  try {
    const content = join(staging, 'content');
    mkdirSync(content);
    await fill(content);
    mkdirSync(dirname(target), { recursive: true });
    if (existsSync(target)) rmdirSync(target);
    renameSync(content, target);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Whether something lies there that is not an empty directory. */
export function isOccupied(target: string): boolean {
  const stat = lstatSync(target, { throwIfNoEntry: false });
  return stat !== undefined && !(stat.isDirectory() && readdirSync(target).length === 0);
}

/** What this user may still write on the file system of a directory. */
export function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** Throws `ERR_DISK_FULL`. */
export function refuseTooLittleSpace(free: number, bytes: number): void {
  if (bytes <= free) return;
  throw new SluiceError('ERR_DISK_FULL', `the archive unpacks to ${bytes} bytes, and ${free} are free`, {
    hint: 'Free some space, or unpack it elsewhere.',
  });
}

/** Makes a function that makes directories below one that is there, each once: an archive names the directory of its files over and over. */
export function directoryMaker(base: string): (path: string) => void {
  const made = new Set<string>([base]);
  return (path) => {
    if (made.has(path)) return;
    mkdirSync(path, { recursive: true });
    made.add(path);
  };
}
