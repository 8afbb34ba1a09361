import fs, { closeSync, fstatSync, openSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { asSluiceError, errnoOf, SluiceError } from '../../errors.js';
import { readWhole } from '../../util/whole-io.js';
import { archiveReader } from './archive-reader.js';
import { checkEntryNames, type EntryPath } from './check-names.js';
import { ARCHIVE_LIMITS, type ArchiveLimits, checkDeclaredSizes } from './check-sizes.js';

/** A file or directory of an archive that may be unpacked. */
export interface ZipEntry extends EntryPath {
  readonly bytes: number;
  readonly crc32: number;
  readonly isExecutable: boolean;
  /** The bytes as they come out, in pieces; what is more than declared, or damaged, fails here or is seen by their sum. */
  content(): Promise<Iterable<Buffer> | AsyncIterable<Buffer>>;
}

/** An archive whose directory was read and checked; its bytes were not. */
export interface OpenZip {
  readonly entries: readonly ZipEntry[];
  readonly bytes: number;
}

/** The fixed part of the header in front of an entry's bytes. */
const HEADER_BYTES = 30;

/** A stream costs more than such a file: archives of data hold tens of thousands. */
const SMALL_BYTES = 1024 * 1024;
const STORED = 0;
const DEFLATED = 8;

/** Systems whose archives carry modes: Unix and macOS. */
const UNIX_MAKERS = [3, 19];
const KIND_MASK = 0o170_000;
const REGULAR = 0o100_000;
const DIRECTORY = 0o040_000;
const SYMLINK = 0o120_000;

/**
 * Opens a zip file for `use`. Its whole directory is checked first: `ERR_ARCHIVE_UNSAFE` for names and kinds of entries that could harm,
 * `ERR_ARCHIVE_TOO_LARGE` for what passes the limits, `ERR_ARCHIVE_INVALID` for a file that is no zip, is damaged, encrypted or packed in another way
 * than "deflate", `ERR_USAGE` for a file that is not there.
 */
export async function withZip<T>(
  file: string,
  use: (zip: OpenZip) => Promise<T>,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<T> {
  const fd = openArchive(file);
  try {
    const yauzl = await import('yauzl');
    const { size } = fstatSync(fd);
    const reader = archiveReader(yauzl.RandomAccessReader, fd, size);
    const options = { decodeStrings: false, autoClose: false };
    const zip = await asArchive(file, () => yauzl.fromRandomAccessReaderPromise(reader, size, options));
    const found = await asArchive(file, () => listEntries(zip, limits));
    const names = found.map((entry) => {
      // Backslashes stay, to be refused.
      return yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
    });
    const paths = checkEntryNames(names);
    const bytes = checkDeclaredSizes(
      found.map((entry, i) => ({ name: names[i] ?? '', ...placeOf(entry), bytes: entry.uncompressedSize })),
      size,
      limits,
    );
    const entries = paths.flatMap((path, i) => {
      const entry = found[i];
      return entry === undefined ? [] : [toEntry(zip, fd, entry, path)];
    });
    return await asArchive(file, () => use({ entries, bytes }));
  } finally {
    closeSync(fd);
  }
}

function openArchive(file: string): number {
  try {
    const fd = openSync(file, 'r');
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
  throw new SluiceError('ERR_USAGE', `there is no file ${file}`, { hint: 'Name an archive that is there.' });
}

async function listEntries(zip: ZipFile, limits: ArchiveLimits): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    entries.push(entry);
    if (entries.length > limits.entries) break;
  }
  return entries;
}

function placeOf(entry: Entry): { readonly at: number; readonly length: number } {
  return {
    at: entry.relativeOffsetOfLocalHeader,
    length: HEADER_BYTES + entry.fileNameLength + entry.compressedSize,
  };
}

function toEntry(zip: ZipFile, fd: number, entry: Entry, path: EntryPath): ZipEntry {
  const name = JSON.stringify(path.path);
  if (entry.isEncrypted()) throw invalid(`${name} in the archive is encrypted`);
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    throw invalid(`${name} in the archive is packed by method ${entry.compressionMethod}`);
  }
  const mode = UNIX_MAKERS.includes(entry.versionMadeBy >>> 8) ? entry.externalFileAttributes >>> 16 : 0;
  const kind = mode & KIND_MASK;
  if (kind !== 0 && kind !== (path.isDirectory ? DIRECTORY : REGULAR)) {
    throw new SluiceError(
      'ERR_ARCHIVE_UNSAFE',
      `${name} in the archive is ${kind === SYMLINK ? 'a symbolic link' : 'neither a file nor a directory'}`,
      { hint: 'Nothing was unpacked. Pack the archive again with the files themselves.' },
    );
  }
  if (path.isDirectory && entry.uncompressedSize > 0) {
    throw invalid(`${name} in the archive is a directory with bytes`);
  }
  return {
    ...path,
    bytes: entry.uncompressedSize,
    crc32: entry.crc32,
    isExecutable: (mode & 0o100) !== 0,
    content: async () => {
      const isSmall = entry.uncompressedSize <= SMALL_BYTES && entry.compressedSize <= SMALL_BYTES;
      return isSmall ? [await readSmall(zip, fd, entry)] : await zip.openReadStreamPromise(entry);
    },
  };
}

async function readSmall(zip: ZipFile, fd: number, entry: Entry): Promise<Buffer> {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  const packed = Buffer.alloc(entry.compressedSize);
  if (readWhole(fs, fd, packed, fileDataStart) < packed.length) throw new Error('it ends within an entry');
  if (entry.compressionMethod === STORED) return packed;
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.uncompressedSize) });
}

/** What the reader of archives or zlib complains about is wrong with the archive; failures of the disk are not. */
async function asArchive<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = errnoOf(error) ?? '';
    const isSystem = code !== '' && !code.startsWith('Z_') && !code.startsWith('ERR_');
    if (error instanceof SluiceError || isSystem) throw asSluiceError(error);
    throw invalid(
      `${file} cannot be read as a zip archive: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

function invalid(problem: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_ARCHIVE_INVALID', problem, {
    hint: 'Nothing was unpacked. Get the archive again, or pack it again as an ordinary zip file without a password.',
    cause,
  });
}
