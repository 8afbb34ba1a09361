import fs, { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SluiceError, throwIfAborted } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { compareUtf8 } from '../model/path.js';
import { EXECUTABLE, LINK, TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { writeWhole } from '../util/whole-io.js';
import type { ExportCount } from './export-files.js';
import { entryPath, type SeenDirectory, type Snapshot } from './snapshot.js';

const BLOCK_BYTES = 512;

interface TarEntry {
  readonly path: string;
  readonly directory: SeenDirectory;
  readonly entry: number;
}

/**
 * Writes the files of snapshots, each below a name, into one tar file: in the order of their paths, owned by nobody and without times, so that the same data gives the same bytes. The file appears
 * when it is whole. Throws `ERR_EXPORT_EXISTS` for a file that is there, unless `force` is given, and what reading objects throws.
 */
export async function writeTar(
  reader: ObjectReader,
  to: string,
  snapshots: readonly (readonly [below: string, snapshot: Snapshot])[],
  force: boolean,
  signal: AbortSignal | undefined,
): Promise<ExportCount> {
  if (existsSync(to) && !force) {
    throw new SluiceError('ERR_EXPORT_EXISTS', `${to} is there already`, {
      hint: 'Choose another name, or replace it with --force.',
    });
  }
  const entries = snapshots
    .flatMap(([below, snapshot]) => entriesOf(below, snapshot))
    .sort((a, b) => compareUtf8(a.path, b.path));
  const { Header, Pax } = await import('tar');
  const temporary = `${to}.${process.pid}.part`;
  mkdirSync(dirname(to), { recursive: true });
  const fd = openSync(temporary, 'w');
  let written = 0;
  let bytes = 0;
  try {
    let position = 0;
    const write = (chunk: Uint8Array): void => {
      writeWhole(fs, fd, chunk, position);
      position += chunk.length;
    };
    for (const { path, directory, entry } of entries) {
      throwIfAborted(signal);
      const kind = directory.kinds[entry];
      const size = kind === TREE || kind === LINK ? 0 : (directory.sizes[entry] ?? 0);
      const linkpath = kind === LINK ? reader.read('blob', directory.digests, entry * RAW_DIGEST_BYTES).toString() : '';
      const header = new Header({
        path: kind === TREE ? `${path}/` : path,
        type: kind === TREE ? 'Directory' : kind === LINK ? 'SymbolicLink' : 'File',
        mode: kind === TREE || kind === EXECUTABLE ? 0o755 : 0o644,
        mtime: new Date(0),
        size,
        linkpath,
      });
      // What a header has no room for goes in front of it.
      if (header.encode()) write(new Pax({ path: header.path ?? path, size, linkpath }).encode());
      write(header.block ?? Buffer.alloc(BLOCK_BYTES));
      if (kind === TREE) continue;
      written++;
      if (kind === LINK) continue;
      bytes += size;
      const body = position;
      // Another copy of the same bytes is written over one that turned out to be damaged.
      reader.stream(directory.digests, entry * RAW_DIGEST_BYTES, write, () => {
        position = body;
      });
      write(Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES));
    }
    write(Buffer.alloc(2 * BLOCK_BYTES));
    fsyncSync(fd);
  } catch (error) {
    closeSync(fd);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(fd);
  renameSync(temporary, to);
  return { written, unchanged: 0, bytes };
}

/** Files, links and directories without files; the others follow from the paths. */
function entriesOf(below: string, { directories }: Snapshot): TarEntry[] {
  const filled = new Set(directories.filter(({ names }) => names.length > 0).map(({ path }) => path));
  return directories.flatMap((directory) =>
    directory.names.flatMap((_, entry) => {
      const path = entryPath(directory, entry);
      if (directory.kinds[entry] === TREE && filled.has(path)) return [];
      return [{ path: below === '' ? path : `${below}/${path}`, directory, entry }];
    }),
  );
}
