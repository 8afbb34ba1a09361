import fs, { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { SluiceError, throwIfAborted } from '../../errors.js';
import { writeWhole } from '../../util/whole-io.js';
import { type OpenZip, withZip, type ZipEntry } from './read-zip.js';
import {
  atOnce,
  directoryMaker,
  freeBytes,
  isOccupied,
  refuseTooLittleSpace,
  type UnpackOptions,
  type UnpackReport,
} from './unpack.js';

const CHUNK_BYTES = 256 * 1024;

/**
 * Unpacks a zip file into a directory that is not there yet, or is empty; it appears at once with all its files, or not at all. Executable bits
 * are kept, times are not. If the same files are there, nothing is done. Throws like `withZip`, `ERR_OUT_MODIFIED` if something else is there,
 * `ERR_DISK_FULL`, and `ERR_ARCHIVE_INVALID` for bytes that are not what the archive declares.
 */
export async function unpackZip(options: UnpackOptions): Promise<UnpackReport> {
  const { from, root, path, dryRun, limits, signal } = options;
  const target = join(root, path);
  return await withZip(
    from,
    async (zip) => {
      const files = zip.entries.filter(({ isDirectory }) => !isDirectory).length;
      const report = { files, bytes: zip.bytes };
      if (isOccupied(target)) {
        if (holdsTheSame(zip, target)) return { ...report, written: false };
        throw new SluiceError('ERR_OUT_MODIFIED', `${path} is there already, with other files than the archive`, {
          hint: 'Move it away, or choose another path.',
        });
      }
      if (dryRun === true) return { ...report, written: true };
      await atOnce(root, path, async (content) => {
        refuseTooLittleSpace(freeBytes(content), zip.bytes);
        await writeEntries(zip.entries, content, signal);
      });
      return { ...report, written: true };
    },
    limits,
  );
}

async function writeEntries(
  entries: readonly ZipEntry[],
  base: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const makeDirectory = directoryMaker(base);
  for (const entry of entries) {
    throwIfAborted(signal);
    const path = join(base, entry.path);
    makeDirectory(entry.isDirectory ? path : dirname(path));
    if (!entry.isDirectory) await writeEntry(entry, path, signal);
  }
}

async function writeEntry(entry: ZipEntry, path: string, signal: AbortSignal | undefined): Promise<void> {
  const fd = openSync(path, 'wx', entry.isExecutable ? 0o777 : 0o666);
  let sum = 0;
  let bytes = 0;
  try {
    for await (const chunk of await entry.content()) {
      throwIfAborted(signal);
      bytes += chunk.length;
      // What comes out may be more than the directory of the archive declares.
      if (bytes > entry.bytes) break;
      sum = crc32(chunk, sum);
      writeWhole(fs, fd, chunk);
    }
  } finally {
    closeSync(fd);
  }
  if (bytes === entry.bytes && sum === entry.crc32) return;
  throw new SluiceError(
    'ERR_ARCHIVE_INVALID',
    `${JSON.stringify(entry.path)} in the archive is not what its directory says: ${bytes === entry.bytes ? 'its bytes are damaged' : 'it has another size'}`,
    { hint: 'Nothing was unpacked. Get the archive again.' },
  );
}

function holdsTheSame({ entries }: OpenZip, target: string): boolean {
  if (!lstatSync(target).isDirectory()) return false;
  const present = readdirSync(target, { recursive: true, withFileTypes: true });
  if (present.some((entry) => !entry.isFile() && !entry.isDirectory())) return false;
  const files = entries.filter(({ isDirectory }) => !isDirectory);
  if (present.filter((entry) => entry.isFile()).length !== files.length) return false;
  return files.every(({ path, bytes, crc32: sum }) => isSameFile(join(target, path), bytes, sum));
}

function isSameFile(path: string, bytes: number, sum: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size !== bytes) return false;
  const fd = openSync(path, 'r');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let found = 0;
  try {
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk))
      found = crc32(chunk.subarray(0, read), found);
  } finally {
    closeSync(fd);
  }
  return found === sum;
}
