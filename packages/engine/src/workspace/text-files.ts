import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoOf } from '../errors.js';
import { readIfPresent } from '../util/read-if-present.js';
import { writeFileAtomic } from '../util/write-file-atomic.js';

/**
 * The text files of a workspace as a plan reads and writes them: those on the disk, or those of a host that collects changes and writes them later, or
 * never. Paths are relative to the workspace root.
 */
export interface TextFiles {
  /** The text of a file; `undefined` when there is none. */
  read(path: string): string | undefined;
  /** The names in a directory; those of directories end with a slash, links are left out. Empty when there is none. */
  list(dir: string): readonly string[];
  /** Makes or replaces a file, with the directories above it. */
  write(path: string, text: string): void;
}

/** The files on the disk. Each is replaced at once; throws the system error. */
export function diskFiles(root: string): TextFiles {
  return {
    read: (path) => readIfPresent(resolve(root, path)),
    list: (dir) => listNames(resolve(root, dir)),
    write: (path, text) => {
      fs.mkdirSync(dirname(resolve(root, path)), { recursive: true });
      writeFileAtomic(resolve(root, path), text);
    },
  };
}

/** A directory that went away or may not be read holds nothing. */
function listNames(path: string): string[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return [`${entry.name}/`];
    return entry.isFile() ? [entry.name] : [];
  });
}
