import { createHash, randomBytes } from 'node:crypto';
import fs, { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { ByteReader } from '../model/bytes.js';
import { copyRaw, type Digest, digestFromRaw, digestOf, hexOf, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { compareUtf8 } from '../model/path.js';
import { TREE } from '../model/tree.js';
import { readWhole, writeWhole } from '../util/whole-io.js';
import { forgetNodesAbove, KNOWN, RACY, type SeenDirectory, type Snapshot } from './snapshot.js';

/** What an index remembers of a root of which Sluice put only a part in place; neither is set for something whole. */
export interface PartMark {
  /** The part is as it was put there. */
  readonly partOf: Digest | undefined;
  /** Files of the part were changed since, or others were added. */
  readonly changedPartOf: Digest | undefined;
}

/** The mark of something whole. */
export const WHOLE: PartMark = { partOf: undefined, changedPartOf: undefined };

/** A stat index as it was read: what files looked like when their digests were taken. */
export interface StatIndex extends PartMark {
  readonly shape: Snapshot['shape'];
  /** The file was copied from elsewhere together with what it describes, so inodes and change times mean nothing. */
  readonly copied: boolean;
  readonly directories: ReadonlyMap<string, SeenDirectory>;
}

const MAGIC = Buffer.from('SLIX');
const VERSION = 2;
const CHANGED_PART = 1;
const CHECKSUM_AT = 60;
const HEADER_BYTES: number = CHECKSUM_AT + RAW_DIGEST_BYTES;
const DIRECTORY_BYTES = 64;
const ENTRY_BYTES = 4 * 8 + 2 + RAW_DIGEST_BYTES;

/** Two writes within this time can leave the same time stamp (a tick of a Linux kernel's coarse clock is at most 10 ms). */
const GRAIN_MS = 10;
/** The same where a file system keeps whole seconds only. */
const COARSE_GRAIN_MS = 1000;

/** Path of the index of a file, directory or glob: named by what it describes, relative to the workspace, so that it survives a move of the workspace. */
export function indexPath(dir: string, subject: string): string {
  return join(dir, `${hexOf(digestOf(subject)).slice(0, 32)}.idx`);
}

/** Reads an index. A missing, damaged or foreign one is `undefined`: it is only ever a short cut. */
export function readIndex(path: string): StatIndex | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const { size, ino } = fstatSync(fd);
    const bytes = Buffer.allocUnsafe(size);
    return decodeIndex(bytes.subarray(0, readWhole(fs, fd, bytes)), ino);
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Decodes an index; `inode` is that of the file it was read from. Throws `ERR_INDEX_INVALID`.
 * @internal
 */
export function decodeIndex(bytes: Buffer, inode: number): StatIndex {
  const reader = new ByteReader(bytes, (problem) => {
    throw new SluiceError('ERR_INDEX_INVALID', `a stat index is damaged: ${problem}`);
  });
  if (!reader.take(4).equals(MAGIC) || reader.u8() !== VERSION) reader.fail('it does not begin like one');
  const shape = reader.u8() === 0 ? 'file' : 'directory';
  const flags = reader.u16();
  const writtenAt = reader.f64();
  const copied = reader.f64() !== inode;
  const count = reader.u32();
  const part = reader.take(RAW_DIGEST_BYTES);
  if (!reader.take(RAW_DIGEST_BYTES).equals(checksum(bytes))) reader.fail('its checksum is wrong');
  const directories = new Map<string, SeenDirectory>();
  for (let i = 0; i < count; i++) {
    const directory = decodeDirectory(reader);
    markRacy(directory, writtenAt);
    directories.set(directory.path, directory);
  }
  if (reader.left !== 0) reader.fail('bytes follow its end');
  return { shape, ...decodePart(part, flags), copied, directories };
}

function decodePart(raw: Buffer, flags: number): PartMark {
  if (isZero(raw)) return WHOLE;
  const digest = digestFromRaw(raw);
  return flags & CHANGED_PART ? { ...WHOLE, changedPartOf: digest } : { ...WHOLE, partOf: digest };
}

/**
 * Fills in the digests of entries that look as they did. An entry counts as unchanged if size, kind, mtime, ctime and inode are equal; in a copied
 * index size, kind and an mtime with parts of a second. Returns whether everything, names included, is as the index says.
 */
export function applyIndex(snapshot: Snapshot, index: StatIndex | undefined): boolean {
  if (index === undefined || index.shape !== snapshot.shape) return false;
  let all = snapshot.directories.length === index.directories.size && !index.copied;
  for (const seen of snapshot.directories) {
    const known = index.directories.get(seen.path);
    if (known === undefined || !applyDirectory(seen, known, index.copied)) all = false;
  }
  forgetNodesAbove(snapshot);
  return all;
}

/** Writes an index for a snapshot whose digests are all known. Returns `false` if it could not be written: nothing depends on it. */
export function writeIndex(path: string, snapshot: Snapshot, part: PartMark): boolean {
  const tmp = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(tmp, 'wx');
    try {
      // Written twice: the time that counts is the file system's, and it is known only after the first write.
      writeSync(fd, Buffer.alloc(1));
      const stat = fstatSync(fd);
      writeWhole(fs, fd, encodeIndex(snapshot, part, stat.mtimeMs, stat.ino), 0);
    } finally {
      closeSync(fd);
    }
    renameSync(tmp, path);
    return true;
  } catch {
    removeIfPossible(tmp);
    return false;
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Nothing can be done in that directory.
  }
}

/**
 * The bytes of an index.
 * @internal
 */
export function encodeIndex(snapshot: Snapshot, part: PartMark, writtenAt: number, inode: number): Buffer {
  const names = snapshot.directories.map((directory) => Buffer.from(directory.names.join('\0')));
  const paths = snapshot.directories.map((directory) => Buffer.from(directory.path));
  const total = snapshot.directories.reduce(
    (sum, directory, i) =>
      sum + DIRECTORY_BYTES + (paths[i]?.length ?? 0) + (names[i]?.length ?? 0) + directory.names.length * ENTRY_BYTES,
    HEADER_BYTES,
  );
  const bytes = Buffer.alloc(total);
  MAGIC.copy(bytes);
  bytes[4] = VERSION;
  bytes[5] = snapshot.shape === 'file' ? 0 : 1;
  bytes.writeDoubleLE(writtenAt, 8);
  bytes.writeDoubleLE(inode, 16);
  bytes.writeUInt32LE(snapshot.directories.length, 24);
  if (part.changedPartOf !== undefined) bytes.writeUInt16LE(CHANGED_PART, 6);
  const partOf = part.partOf ?? part.changedPartOf;
  if (partOf !== undefined) rawOf(partOf).copy(bytes, 28);
  let at = HEADER_BYTES;
  snapshot.directories.forEach((directory, i) => {
    at = encodeDirectoryBlock(bytes, at, directory, paths[i] ?? Buffer.alloc(0), names[i] ?? Buffer.alloc(0));
  });
  checksum(bytes).copy(bytes, CHECKSUM_AT);
  return bytes;
}

function encodeDirectoryBlock(
  bytes: Buffer,
  from: number,
  directory: SeenDirectory,
  path: Buffer,
  names: Buffer,
): number {
  bytes.writeUInt32LE(path.length, from);
  bytes.writeUInt32LE(directory.names.length, from + 4);
  bytes.writeUInt32LE(names.length, from + 8);
  bytes.writeDoubleLE(directory.totalFiles, from + 16);
  bytes.writeDoubleLE(directory.totalBytes, from + 24);
  directory.node?.copy(bytes, from + 32);
  let at = from + DIRECTORY_BYTES;
  at += path.copy(bytes, at);
  at += names.copy(bytes, at);
  for (const column of [directory.sizes, directory.mtimes, directory.ctimes, directory.inodes]) {
    at += Buffer.from(column.buffer, column.byteOffset, column.byteLength).copy(bytes, at);
  }
  bytes.set(directory.kinds, at);
  at += directory.kinds.length;
  bytes.set(directory.flags, at);
  at += directory.flags.length;
  return at + directory.digests.copy(bytes, at);
}

function decodeDirectory(reader: ByteReader): SeenDirectory {
  const pathBytes = reader.u32();
  const count = reader.u32();
  const nameBytes = reader.u32();
  reader.u32();
  const totalFiles = reader.f64();
  const totalBytes = reader.f64();
  const node = Buffer.from(reader.take(RAW_DIGEST_BYTES));
  if (pathBytes + nameBytes + count * ENTRY_BYTES > reader.left) reader.fail('a directory does not fit into it');
  const path = reader.take(pathBytes).toString('utf8');
  const text = reader.take(nameBytes).toString('utf8');
  const names = count === 0 ? [] : text.split('\0');
  if (names.length !== count) reader.fail('a directory has another number of names than entries');
  return {
    path,
    names,
    sizes: column(reader, count),
    mtimes: column(reader, count),
    ctimes: column(reader, count),
    inodes: column(reader, count),
    kinds: Uint8Array.from(reader.take(count)),
    flags: Uint8Array.from(reader.take(count)),
    digests: reader.take(count * RAW_DIGEST_BYTES),
    node: isZero(node) ? undefined : node,
    totalFiles,
    totalBytes,
  };
}

/** Of everything but itself. */
function checksum(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes.subarray(0, CHECKSUM_AT)).update(bytes.subarray(HEADER_BYTES)).digest();
}

function isZero(raw: Buffer): boolean {
  return raw.every((byte) => byte === 0);
}

/** Copied, since a column in the file need not lie at a multiple of eight. */
function column(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  Buffer.from(values.buffer).set(reader.take(count * 8));
  return values;
}

/**
 * The second half of the racy rule: an entry as young as the index could have changed after its digest was taken and still look the same.
 * It keeps the mark until it has been hashed again.
 */
function markRacy(directory: SeenDirectory, writtenAt: number): void {
  const { mtimes, ctimes, flags } = directory;
  for (let i = 0; i < flags.length; i++) {
    const ctime = ctimes[i] ?? 0;
    // Nobody but the file system sets this time, so it shows what the file system can do.
    const grain = ctime % 1000 === 0 ? COARSE_GRAIN_MS : GRAIN_MS;
    if (Math.max(mtimes[i] ?? 0, ctime) >= writtenAt - grain) flags[i] = (flags[i] ?? 0) | RACY;
  }
}

function applyDirectory(seen: SeenDirectory, known: SeenDirectory, copied: boolean): boolean {
  let all = seen.names.length === known.names.length;
  /** Where in the index an entry was found; the ones that are not known have -1. */
  const places = new Int32Array(seen.names.length).fill(-1);
  let j = 0;
  for (let i = 0; i < seen.names.length; i++) {
    const name = seen.names[i] ?? '';
    while (j < known.names.length && known.names[j] !== name && compareUtf8(known.names[j] ?? '', name) < 0) j++;
    if (known.names[j] !== name || !looksTheSame(seen, i, known, j, copied)) {
      all = false;
      continue;
    }
    if (seen.kinds[i] === TREE) continue;
    seen.flags[i] = KNOWN;
    places[i] = j;
  }
  if (all) known.digests.copy(seen.digests);
  else
    places.forEach((place, i) => {
      if (place >= 0) copyDigest(known, place, seen, i);
    });
  if (all && known.node !== undefined) {
    seen.node = known.node;
    seen.totalFiles = known.totalFiles;
    seen.totalBytes = known.totalBytes;
  }
  return all;
}

function copyDigest(from: SeenDirectory, place: number, to: SeenDirectory, entry: number): void {
  copyRaw(from.digests, place * RAW_DIGEST_BYTES, to.digests, entry * RAW_DIGEST_BYTES);
}

function looksTheSame(seen: SeenDirectory, i: number, known: SeenDirectory, j: number, copied: boolean): boolean {
  if (seen.kinds[i] !== known.kinds[j]) return false;
  if (seen.kinds[i] === TREE) return true;
  if (known.flags[j] !== KNOWN || seen.sizes[i] !== known.sizes[j] || seen.mtimes[i] !== known.mtimes[j]) return false;
  if (copied) return (seen.mtimes[i] ?? 0) % 1000 !== 0;
  return seen.inodes[i] === known.inodes[j] && seen.ctimes[i] === known.ctimes[j];
}
