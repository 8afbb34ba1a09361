import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { errnoOf, SluiceError } from '../errors.js';
import { sortUtf8 } from '../model/path.js';
import { EXECUTABLE, FILE, LINK, MAX_DEPTH, TREE } from '../model/tree.js';
import { changeTime } from './change-time.js';
import { type SeenDirectory, type Snapshot, seenDirectory } from './snapshot.js';

/** Says whether an entry below the walked root is left out; `isDirectory` as gitignore patterns need it. */
export type IgnoreFilter = (path: string, isDirectory: boolean) => boolean;

/** How a path is walked. */
export interface WalkOptions {
  readonly ignore?: IgnoreFilter | undefined;
  /** `true` for deps: a link at the root itself stands for what it points to. An out may not be a link. */
  readonly followRoot: boolean;
}

/** Bits of a file's mode that make it executable for its owner, as in git. */
const OWNER_EXECUTES = 0o100;

/** Kind of a regular file. */
export function fileKind(stat: Stats): typeof FILE | typeof EXECUTABLE {
  return (stat.mode & OWNER_EXECUTES) === 0 ? FILE : EXECUTABLE;
}

/**
 * Looks at everything below `path` (absolute) without reading any file. Returns `undefined` if there is nothing.
 * Throws `ERR_FILE_UNREADABLE`, `ERR_FILE_KIND` for sockets, pipes and devices, `ERR_FILE_NAME` for names that are not UTF-8,
 * and `ERR_FILE_CHANGED` if entries come and go while it looks.
 */
export function walk(path: string, options: WalkOptions): Snapshot | undefined {
  const stat = rootStat(path, options.followRoot);
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) {
    const directories: SeenDirectory[] = [];
    walkDirectory(path, '', 0, options.ignore, directories);
    return { shape: 'directory', directories };
  }
  if (stat.isSymbolicLink()) {
    throw new SluiceError(
      'ERR_FILE_KIND',
      `${path} is a symbolic link; an out has to be a file or a directory itself`,
      {
        hint: 'Replace the link by what it points to, or declare the path that it points to.',
      },
    );
  }
  const seen = seenDirectory('', [path.slice(path.lastIndexOf('/') + 1)]);
  record(seen, 0, stat, path);
  return { shape: 'file', directories: [seen] };
}

/** Writes what `stat` says into the columns of an entry. Throws `ERR_FILE_KIND`. */
function record(seen: SeenDirectory, entry: number, stat: Stats, path: string): void {
  seen.kinds[entry] = kindOf(stat, path);
  seen.sizes[entry] = stat.size;
  seen.mtimes[entry] = stat.mtimeMs;
  seen.ctimes[entry] = changeTime(stat);
  seen.inodes[entry] = stat.ino;
}

function rootStat(path: string, follow: boolean): Stats | undefined {
  try {
    return (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(path, error);
  }
}

function walkDirectory(
  path: string,
  below: string,
  depth: number,
  ignore: IgnoreFilter | undefined,
  into: SeenDirectory[],
): void {
  if (depth > MAX_DEPTH)
    throw new SluiceError('ERR_FILE_NAME', `${path} is nested deeper than ${MAX_DEPTH} directories`);
  const kept = ignore === undefined ? listDirectory(path) : listKept(path, below, ignore);
  const seen = seenDirectory(below, kept);
  into.push(seen);
  for (let i = 0; i < kept.length; i++) {
    const name = kept[i] ?? '';
    const entryPath = `${path}/${name}`;
    const stat = entryStat(entryPath);
    if (!stat.isDirectory()) {
      record(seen, i, stat, entryPath);
      continue;
    }
    seen.kinds[i] = TREE;
    walkDirectory(entryPath, below === '' ? name : `${below}/${name}`, depth + 1, ignore, into);
  }
}

function listDirectory(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? vanished(path) : unreadable(path, error);
  }
  // Bytes that are not UTF-8 arrive as U+FFFD; only then is it worth listing again to tell them from a real one.
  if (names.some((name) => name.includes('\ufffd'))) refuseForeignNames(path);
  return sortUtf8(names);
}

function refuseForeignNames(path: string): void {
  for (const raw of readdirSync(path, { encoding: 'buffer' })) {
    if (Buffer.from(raw.toString('utf8')).equals(raw)) continue;
    throw new SluiceError(
      'ERR_FILE_NAME',
      `${path} holds a name that is not UTF-8: ${JSON.stringify(raw.toString('latin1'))} (as Latin-1)`,
      {
        hint: 'Rename the file; a name has to be UTF-8 to be the same on every machine.',
      },
    );
  }
}

function listKept(path: string, below: string, ignore: IgnoreFilter): string[] {
  const directories = new Set<string>();
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) directories.add(entry.name);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? vanished(path) : unreadable(path, error);
  }
  return listDirectory(path).filter((name) => !ignore(below === '' ? name : `${below}/${name}`, directories.has(name)));
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

function vanished(path: string): SluiceError {
  return new SluiceError('ERR_FILE_CHANGED', `${path} vanished while it was looked at`, {
    hint: 'Let the program that writes there end, then run again.',
  });
}

function unreadable(path: string, cause: unknown): SluiceError {
  return new SluiceError('ERR_FILE_UNREADABLE', `${path} cannot be read (${errnoOf(cause) ?? 'unknown error'})`, {
    cause,
    hint: 'Check its permissions.',
  });
}
