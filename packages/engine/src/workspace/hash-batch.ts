import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { type ErrorWire, errnoOf, isReadFailure, SluiceError, toErrorWire } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { LINK } from '../model/tree.js';
import type { Ingestor } from '../store/ingest.js';
import { LOOSE_BYTES } from '../store/layout.js';
import { changeTime } from './change-time.js';
import { linkProblem } from './link.js';
import { fileKind } from './stat-entries.js';

/** Files of one snapshot to be hashed. Plain values, so that a batch can cross threads. */
export interface HashBatch {
  /** Absolute path of the snapshot's root, with a slash at its end, or `''` when `paths` are absolute. */
  readonly base: string;
  /** Paths below the base, joined by NUL. */
  readonly paths: string;
  readonly kinds: Uint8Array;
  /** Size, mtime, ctime and inode of each file, as the walk saw them. */
  readonly stats: Float64Array;
  /** Whether links must stay inside the base. */
  readonly confineLinks: boolean;
}

/** What came of a batch, in the order of its paths. */
export interface HashResult {
  readonly digests: Buffer;
  /** Stats at the time of reading; they differ from the batch's where a file had changed since the walk. */
  readonly stats: Float64Array;
  /** 1 where the store did not have the blob yet. */
  readonly fresh: Uint8Array;
  readonly problems: readonly ErrorWire[];
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The first read of a new file would write its access time, which costs as much as the read; macOS has no such flag. */
const NO_ATIME = process.platform === 'linux' ? constants.O_NOATIME : 0;
const CHUNK_BYTES = 1024 * 1024;
const STAT_FIELDS = 4;

/**
 * Reads each file once and gives its digest; with an ingestor the bytes go into the store in the same pass. A file that changes while it is
 * read is read once more; then it is a problem. Problems are gathered, not thrown; a full disk is thrown.
 */
export function hashBatch(batch: HashBatch, ingestor: Ingestor | undefined, scratch: Buffer): HashResult {
  const paths = batch.paths.split('\0');
  const result = {
    digests: Buffer.alloc(paths.length * RAW_DIGEST_BYTES),
    stats: Float64Array.from(batch.stats),
    fresh: new Uint8Array(paths.length),
    problems: [] as ErrorWire[],
  };
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i] ?? '';
    try {
      const isNew =
        batch.kinds[i] === LINK
          ? takeLink(batch, path, i, result.digests, ingestor)
          : takeFile(batch, batch.base + path, i, result, ingestor, scratch);
      result.fresh[i] = isNew ? 1 : 0;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      result.problems.push(toErrorWire(error));
    }
  }
  return result;
}

/** A buffer for {@link hashBatch}: the thread's own, used again for every file. */
export function scratchBuffer(): Buffer {
  return Buffer.allocUnsafe(CHUNK_BYTES);
}

function takeLink(batch: HashBatch, path: string, i: number, digests: Buffer, ingestor: Ingestor | undefined): boolean {
  const target = readLink(batch.base + path);
  if (batch.confineLinks) {
    const problem = linkProblem(path, target);
    if (problem !== undefined) {
      throw new SluiceError('ERR_LINK_ESCAPES', `${batch.base}${path} ${problem}`, {
        hint: 'Link to something inside the same out, or copy the file.',
      });
    }
  }
  putDigest(target, digests, i);
  return ingestor?.addBytes('blob', target, digests, i * RAW_DIGEST_BYTES) ?? false;
}

function takeFile(
  batch: HashBatch,
  path: string,
  i: number,
  result: { digests: Buffer; stats: Float64Array },
  ingestor: Ingestor | undefined,
  scratch: Buffer,
): boolean {
  for (let attempt = 0; attempt < 2; attempt++) {
    const fd = open(path);
    try {
      const isNew = readOnce(fd, path, i, result, ingestor, scratch);
      if (isNew !== undefined) return isNew;
    } finally {
      closeSync(fd);
    }
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || fileKind(stat) !== batch.kinds[i]) break;
    setStat(stat, result.stats, i);
  }
  throw new SluiceError('ERR_FILE_CHANGED', `${path} changed while it was read`, {
    hint: 'Let the program that writes it end, then run again.',
  });
}

/** Returns whether the store did not have the bytes, or `undefined` if the file is not what it was seen to be. */
function readOnce(
  fd: number,
  path: string,
  i: number,
  result: { digests: Buffer; stats: Float64Array },
  ingestor: Ingestor | undefined,
  scratch: Buffer,
): boolean | undefined {
  const unchanged = (): boolean => sameStat(fstatSync(fd), result.stats, i);
  const size = result.stats[i * STAT_FIELDS] ?? 0;
  try {
    if (ingestor !== undefined) return ingestor.addFile(fd, size, result.digests, i * RAW_DIGEST_BYTES, unchanged);
    return hashOpenFile(fd, size, result.digests, i, scratch) && unchanged() ? false : undefined;
  } catch (error) {
    const code = errnoOf(error);
    // A directory or a pipe took its place.
    if (code === 'EISDIR' || code === 'EAGAIN') return undefined;
    if (isReadFailure(error)) throw unreadable(path, error);
    throw error;
  }
}

function readLink(path: string): Buffer {
  try {
    return readlinkSync(path, { encoding: 'buffer' });
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'EINVAL') throw vanished(path, error);
    throw unreadable(path, error);
  }
}

function open(path: string): number {
  try {
    return openQuietly(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') throw vanished(path, error);
    if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM') throw error;
    throw unreadable(path, error);
  }
}

function openQuietly(path: string): number {
  try {
    return openSync(path, READ | NO_ATIME);
  } catch (error) {
    // Only the owner of a file may ask that its access time stays.
    if (errnoOf(error) === 'EPERM') return openSync(path, READ);
    throw error;
  }
}

function vanished(path: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_FILE_CHANGED', `${path} vanished or became something else while it was looked at`, {
    cause,
    hint: 'Let the program that writes there end, then run again.',
  });
}

function unreadable(path: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_FILE_UNREADABLE', `${path} cannot be read (${errnoOf(cause) ?? 'unknown error'})`, {
    cause,
    hint: 'Check its permissions, and the disk.',
  });
}

/** Returns `false` if the file does not have the expected size. */
function hashOpenFile(fd: number, size: number, digests: Buffer, i: number, scratch: Buffer): boolean {
  if (size < LOOSE_BYTES) {
    const read = readSync(fd, scratch, 0, size + 1, null);
    if (read !== size) return false;
    putDigest(scratch.subarray(0, read), digests, i);
    return true;
  }
  const sha = createHash('sha256');
  let total = 0;
  for (;;) {
    const read = readSync(fd, scratch, 0, scratch.length, null);
    if (read === 0) break;
    total += read;
    sha.update(scratch.subarray(0, read));
  }
  sha.digest().copy(digests, i * RAW_DIGEST_BYTES);
  return total === size;
}

function putDigest(bytes: Buffer, digests: Buffer, i: number): void {
  digests.write(hash('sha256', bytes, 'binary'), i * RAW_DIGEST_BYTES, 'latin1');
}

function sameStat(stat: Stats, stats: Float64Array, i: number): boolean {
  const at = i * STAT_FIELDS;
  return (
    stat.size === stats[at] &&
    stat.mtimeMs === stats[at + 1] &&
    changeTime(stat) === stats[at + 2] &&
    stat.ino === stats[at + 3]
  );
}

function setStat(stat: Stats, stats: Float64Array, i: number): void {
  stats.set([stat.size, stat.mtimeMs, changeTime(stat), stat.ino], i * STAT_FIELDS);
}
