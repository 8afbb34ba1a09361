import { lstatSync, type Stats } from 'node:fs';
import { errnoOf, SluiceError } from '../errors.js';
import { EXECUTABLE, FILE, LINK, TREE } from '../model/tree.js';
import { changeTime } from './change-time.js';

/** What is kept of each entry of a directory, in columns. Times are milliseconds, exactly as Node gives them. */
export interface EntryColumns {
  readonly kinds: Uint8Array;
  readonly sizes: Float64Array;
  readonly mtimes: Float64Array;
  readonly ctimes: Float64Array;
  readonly inodes: Float64Array;
}

/** Some entries of one directory that are to be looked at. */
export interface StatBatch {
  /** Absolute path of the directory. */
  readonly directory: string;
  readonly names: readonly string[];
}

/** Bits of a file's mode that make it executable for its owner, as in git. */
const OWNER_EXECUTES = 0o100;

/** Makes room for `count` entries. */
export function entryColumns(count: number): EntryColumns {
  return {
    kinds: new Uint8Array(count),
    sizes: new Float64Array(count),
    mtimes: new Float64Array(count),
    ctimes: new Float64Array(count),
    inodes: new Float64Array(count),
  };
}

/**
 * Looks at the entries of a batch and writes what they are into columns, from index `at` on; directories have a kind and nothing else.
 * Throws `ERR_FILE_KIND`, `ERR_FILE_CHANGED` if one is not there, or `ERR_FILE_UNREADABLE`.
 */
export function statEntries({ directory, names }: StatBatch, into: EntryColumns, at: number): void {
  for (let i = 0; i < names.length; i++) {
    const path = `${directory}/${names[i]}`;
    const stat = entryStat(path);
    if (stat.isDirectory()) into.kinds[at + i] = TREE;
    else writeEntry(into, at + i, stat, path);
  }
}

/** Writes what `stat` says of a file or link into the columns of an entry. Throws `ERR_FILE_KIND`. */
export function writeEntry(into: EntryColumns, entry: number, stat: Stats, path: string): void {
  into.kinds[entry] = kindOf(stat, path);
  into.sizes[entry] = stat.size;
  into.mtimes[entry] = stat.mtimeMs;
  into.ctimes[entry] = changeTime(stat);
  into.inodes[entry] = stat.ino;
}

/** Kind of a regular file. */
export function fileKind(stat: Stats): typeof FILE | typeof EXECUTABLE {
  return (stat.mode & OWNER_EXECUTES) === 0 ? FILE : EXECUTABLE;
}

/** The error of something that was there a moment ago. */
export function vanished(path: string): SluiceError {
  return new SluiceError('ERR_FILE_CHANGED', `${path} vanished while it was looked at`, {
    hint: 'Let the program that writes there end, then run again.',
  });
}

/** The error of something that the system does not let us look at. */
export function unreadable(path: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_FILE_UNREADABLE', `${path} cannot be read (${errnoOf(cause) ?? 'unknown error'})`, {
    cause,
    hint: 'Check its permissions.',
  });
}

function entryStat(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? vanished(path) : unreadable(path, error);
  }
}

function kindOf(stat: Stats, path: string): number {
  if (stat.isFile()) return fileKind(stat);
  if (stat.isSymbolicLink()) return LINK;
  throw new SluiceError(
    'ERR_FILE_KIND',
    `${path} is a socket, pipe or device; only files, directories and links can be kept`,
    {
      hint: 'Remove it, or name it in .sluiceignore.',
    },
  );
}
