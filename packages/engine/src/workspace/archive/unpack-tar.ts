import { once } from 'node:events';
import fs, { closeSync, createReadStream, lstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Parser, ReadEntry } from 'tar';
import { asSluiceError, errnoOf, SluiceError, throwIfAborted } from '../../errors.js';
import { writeWhole } from '../../util/whole-io.js';
import { createNameCheck } from './check-names.js';
import { ARCHIVE_LIMITS, type ArchiveLimits, checkTotals } from './check-sizes.js';
import {
  atOnce,
  directoryMaker,
  freeBytes,
  isOccupied,
  refuseTooLittleSpace,
  type UnpackOptions,
  type UnpackReport,
} from './unpack.js';

const FILES: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
const DIRECTORIES: ReadonlySet<string> = new Set(['Directory', 'GNUDumpDir']);

/** Long names and other headers of an entry; more is taken for an attack on memory. */
const HEADER_BYTES = 1024 * 1024;

/**
 * Unpacks a tar file, plain or packed with gzip, into a directory that is not there yet, or is empty; it appears at once with all its files, or not at all. Executable
 * bits are kept, times are not. Throws `ERR_ARCHIVE_UNSAFE` for names that could harm, links and devices, `ERR_ARCHIVE_TOO_LARGE` for what passes the limits,
 * `ERR_ARCHIVE_INVALID` for a file that is no tar or is damaged, `ERR_OUT_MODIFIED` if something is there, `ERR_DISK_FULL`, and `ERR_USAGE` for a file that is not there.
 */
export async function unpackTar(options: UnpackOptions): Promise<UnpackReport> {
  const { from, root, path, limits = ARCHIVE_LIMITS, signal } = options;
  const archive = lstatSync(from, { throwIfNoEntry: false });
  if (archive?.isFile() !== true) {
    throw new SluiceError('ERR_USAGE', `there is no file ${from}`, { hint: 'Name an archive that is there.' });
  }
  if (isOccupied(join(root, path))) {
    throw new SluiceError('ERR_OUT_MODIFIED', `${path} is there already`, {
      hint: 'Move it away, or choose another path.',
    });
  }
  const report = { files: 0, bytes: 0, written: true };
  await atOnce(root, path, async (content) => {
    const writer = createEntryWriter(content, archive.size, limits, report);
    const parser = new (await import('tar')).Parser({ strict: true, maxMetaEntrySize: HEADER_BYTES });
    let failure: unknown;
    // Within the parser nothing may throw: it would be taken for a fault of the archive.
    const attempt = (action: () => void): void => {
      try {
        if (failure === undefined) action();
      } catch (error) {
        failure = error;
      }
    };
    parser.on('entry', (entry: ReadEntry) => {
      attempt(() => writer.begin(entry));
      entry.on('data', (chunk: Buffer) => attempt(() => writer.write(chunk)));
      entry.on('end', () => attempt(() => writer.end()));
    });
    try {
      await feed(parser, from, () => {
        throwIfAborted(signal);
        if (failure !== undefined) throw failure;
      });
    } catch (error) {
      throw failure === undefined ? explain(from, error) : asSluiceError(failure);
    } finally {
      writer.close();
    }
  });
  return report;
}

/** Gives the parser the bytes of a file as it takes them; `check` may throw after each piece. */
async function feed(parser: Parser, from: string, check: () => void): Promise<void> {
  const ended = once(parser, 'end');
  // It is awaited at the end; a failure before that is one of the loop.
  ended.catch(() => undefined);
  for await (const chunk of createReadStream(from, { highWaterMark: 1024 * 1024 })) {
    const wantsMore = parser.write(chunk as Buffer);
    check();
    // A parser that has failed asks for nothing any more.
    if (!wantsMore) await Promise.race([once(parser, 'drain'), ended]);
  }
  parser.end();
  await ended;
  check();
}

interface EntryWriter {
  begin(entry: ReadEntry): void;
  write(chunk: Buffer): void;
  end(): void;
  /** Closes what an archive that ended too early left open. */
  close(): void;
}

/** Checks each entry against all before it, and writes it. */
function createEntryWriter(
  content: string,
  archiveBytes: number,
  limits: ArchiveLimits,
  report: { files: number; bytes: number },
): EntryWriter {
  const check = createNameCheck();
  const free = freeBytes(content);
  let entries = 0;
  let fd: number | undefined;
  const makeDirectory = directoryMaker(content);
  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  return {
    begin: ({ path: name, type, size, mode }) => {
      const isDirectory = DIRECTORIES.has(type);
      if (!isDirectory && !FILES.has(type)) throw unsafeKind(name, type);
      // What archives begin with that were made of `.`.
      if (isDirectory && /^\.?\/?$/.test(name)) return;
      const { path } = check(isDirectory && !name.endsWith('/') ? `${name}/` : name);
      entries++;
      report.bytes += size;
      checkTotals(entries, report.bytes, archiveBytes, limits);
      refuseTooLittleSpace(free, report.bytes);
      const target = join(content, path);
      makeDirectory(isDirectory ? target : dirname(target));
      if (isDirectory) return;
      report.files++;
      fd = openSync(target, 'wx', ((mode ?? 0) & 0o100) !== 0 ? 0o777 : 0o666);
    },
    write: (chunk) => {
      if (fd !== undefined) writeWhole(fs, fd, chunk);
    },
    end: close,
    close,
  };
}

function unsafeKind(name: string, type: string): SluiceError {
  const kind = /Link/.test(type) ? 'a link' : `of the kind ${type}, neither a file nor a directory`;
  return new SluiceError('ERR_ARCHIVE_UNSAFE', `${JSON.stringify(name)} in the archive is ${kind}`, {
    hint: 'Nothing was unpacked. Pack the archive again with the files themselves.',
    details: { name },
  });
}

/** What the parser complains about is wrong with the archive; failures of the disk are not. */
function explain(from: string, error: unknown): SluiceError {
  const code = errnoOf(error) ?? '';
  const isArchive = code === '' || /^(TAR_|Z_|ZLIB)/.test(code) || code.startsWith('ERR_');
  if (error instanceof SluiceError || !isArchive) return asSluiceError(error);
  const problem = error instanceof Error ? error.message : String(error);
  return new SluiceError('ERR_ARCHIVE_INVALID', `${from} cannot be read as a tar archive: ${problem}`, {
    hint: 'Nothing was unpacked. Get the archive again, or pack it again as a plain or gzipped tar file.',
    cause: error,
  });
}
