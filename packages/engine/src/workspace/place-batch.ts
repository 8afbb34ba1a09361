import { constants, type Stats } from 'node:fs';
import { type ErrorWire, errnoOf, SluiceError, toErrorWire } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { EXECUTABLE, LINK } from '../model/tree.js';
import type { Files } from '../store/files.js';
import { LOOSE_BYTES } from '../store/layout.js';
import { SEAL_SECONDS } from '../store/loose.js';
import type { ObjectReader } from '../store/reader.js';
import { writeWhole } from '../util/whole-io.js';
import { changeTime } from './change-time.js';
import { linkProblem } from './link.js';

/** How the bytes of a file get from the store to the workspace. */
export type LinkKind = 'reflink' | 'copy' | 'hardlink';

/** Files to be made. Plain values, so that a batch can cross threads. */
export interface PlaceBatch {
  /** Absolute path of the directory to fill, with a slash at its end, or `''` when `paths` are absolute. */
  readonly base: string;
  /** Paths below the base, joined by NUL; their directories exist, the files do not. */
  readonly paths: string;
  /** For links, where they are going to lie below the root of the out, joined by NUL: by that their targets are judged. Otherwise empty. */
  readonly linkPaths: string;
  readonly kinds: Uint8Array;
  readonly sizes: Float64Array;
  /** 32 bytes per file. */
  readonly digests: Uint8Array;
  /** Tried in order; `copy` always works. */
  readonly how: readonly LinkKind[];
  /** Made read-only. */
  readonly readOnly: boolean;
}

/** What came of a batch, in the order of its paths. */
export interface PlaceResult {
  /** Size, mtime, ctime and inode of each new file. */
  readonly stats: Float64Array;
  readonly problems: readonly ErrorWire[];
  /** Files that were linked or cloned. */
  readonly linked: number;
}

/**
 * Makes each file from its object. The bytes are checked on the way; a file whose bytes are not right is never left as if it were whole.
 * A name that is taken already (names that differ only in case or in their Unicode form, on file systems that do not tell them apart) is a problem.
 */
export function placeBatch(batch: PlaceBatch, reader: ObjectReader, files: Files): PlaceResult {
  const paths = batch.paths.split('\0');
  const linkPaths = batch.linkPaths.split('\0');
  const stats = new Float64Array(paths.length * 4);
  const digests = Buffer.from(batch.digests.buffer, batch.digests.byteOffset, batch.digests.byteLength);
  const problems: ErrorWire[] = [];
  let linked = 0;
  for (let i = 0; i < paths.length; i++) {
    const file: PlannedFile = {
      path: batch.base + (paths[i] ?? ''),
      kind: batch.kinds[i] ?? 0,
      size: batch.sizes[i] ?? 0,
      digests,
      at: i * RAW_DIGEST_BYTES,
      mode: modeOf(batch.kinds[i] ?? 0, batch.readOnly),
    };
    try {
      if (file.kind === LINK) placeLink(linkPaths[i] ?? '', file, reader, files);
      else if (placeFile(file, batch.how, reader, files, stats, i)) linked++;
      if (file.kind === LINK) putStat(stats, i, files.lstatSync(file.path));
    } catch (error) {
      problems.push(toErrorWire(explainTaken(error, file.path)));
    }
  }
  return { stats, problems, linked };
}

interface PlannedFile {
  readonly path: string;
  readonly kind: number;
  readonly size: number;
  readonly digests: Buffer;
  readonly at: number;
  readonly mode: number;
}

function modeOf(kind: number, readOnly: boolean): number {
  const mode = kind === EXECUTABLE ? 0o777 : 0o666;
  return readOnly ? mode & 0o555 : mode;
}

function placeLink(path: string, file: PlannedFile, reader: ObjectReader, files: Files): void {
  const target = Buffer.from(reader.read('blob', file.digests, file.at));
  const problem = linkProblem(path, target);
  if (problem !== undefined) throw new SluiceError('ERR_LINK_ESCAPES', `${file.path} ${problem}`);
  files.symlinkSync(target, file.path);
}

/** Returns whether the file was linked or cloned. */
function placeFile(
  file: PlannedFile,
  how: readonly LinkKind[],
  reader: ObjectReader,
  files: Files,
  stats: Float64Array,
  i: number,
): boolean {
  if (file.size >= LOOSE_BYTES && how[0] !== 'copy') {
    const source = reader.linkable(file.digests, file.at);
    if (source !== undefined) {
      for (const kind of how) {
        if (kind === 'copy' || !tryLink(kind, source.path, file, files)) continue;
        // A link to a sealed object looks like it, and is compared without its change time (`changeTime`).
        if (kind === 'hardlink' && source.sealed)
          stats.set([source.bytes, SEAL_SECONDS * 1000, 0, source.inode], i * 4);
        else putStat(stats, i, files.lstatSync(file.path));
        return true;
      }
    }
  }
  const fd = files.openSync(file.path, 'wx', file.mode);
  try {
    if (file.size >= LOOSE_BYTES) {
      streamInto(fd, file, reader, files);
    } else {
      writeWhole(files, fd, reader.read('blob', file.digests, file.at), 0);
    }
    const stat = files.fstatSync(fd);
    if (stat.size !== file.size) throw wrongSize(file, stat.size);
    putStat(stats, i, stat);
  } finally {
    files.closeSync(fd);
  }
  return false;
}

/** Reflink and hard link can each be refused by the file system, for this pair of places or for this one file. */
function tryLink(kind: 'reflink' | 'hardlink', source: string, file: PlannedFile, files: Files): boolean {
  // A hard link has the modes of the object, and an executable needs modes of its own.
  if (kind === 'hardlink' && file.kind === EXECUTABLE) return false;
  try {
    if (kind === 'hardlink') {
      files.linkSync(source, file.path);
      return true;
    }
    files.copyFileSync(source, file.path, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    const fd = files.openSync(file.path, 'r');
    try {
      files.fchmodSync(fd, file.mode & ~process.umask());
    } finally {
      files.closeSync(fd);
    }
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'EPERM', 'EMLINK', 'ENOTTY', 'EACCES'].includes(code)) {
      return false;
    }
    throw error;
  }
}

function wrongSize(file: PlannedFile, size: number): SluiceError {
  return new SluiceError('ERR_TREE_INVALID', `${file.path}: its tree says ${file.size} bytes, its object has ${size}`);
}

/** `ERR_FILE_NAME` for a name that is taken where none should be; any other error as it is. */
export function explainTaken(error: unknown, path: string): unknown {
  if (errnoOf(error) !== 'EEXIST') return error;
  return new SluiceError(
    'ERR_FILE_NAME',
    `${path} is there already: this file system does not tell two names of the tree apart`,
    {
      cause: error,
      hint: 'Rename one of the files where the data is made, or check it out on a file system that is case-sensitive.',
    },
  );
}

function putStat(stats: Float64Array, i: number, stat: Stats): void {
  stats.set([stat.size, stat.mtimeMs, changeTime(stat), stat.ino], i * 4);
}

function streamInto(fd: number, file: PlannedFile, reader: ObjectReader, files: Files): void {
  let position = 0;
  reader.stream(
    file.digests,
    file.at,
    (chunk) => {
      writeWhole(files, fd, chunk, position);
      position += chunk.length;
    },
    () => {
      files.ftruncateSync(fd, 0);
      position = 0;
    },
  );
}
