import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { errnoOf } from '../errors.js';
import { digestOf } from '../model/digest.js';
import { sortUtf8 } from '../model/path.js';

/** What a file or directory looked like: `stamp` for a quick look, `content` (a digest) for a certain one. */
export interface Observation {
  readonly path: string;
  readonly isDirectory: boolean;
  /** `''`: the thing was changed so shortly before that its times cannot tell a further change. */
  readonly stamp: string;
  readonly content: string;
}

/** Reads files and lists directories, and remembers what they looked like. */
export interface ObservedFiles {
  /** The text of a file; `undefined` when there is none. The path is relative to the workspace root, or absolute. */
  readonly read: (path: string) => string | undefined;
  /** Names of files that were asked for and of directories, which end with a slash; sorted. Links are left out. */
  readonly list: (dir: string) => string[];
  readonly observations: () => Observation[];
}

/** Directories that Nx never looks into, besides our store. */
const SKIPPED = new Set(['node_modules', '.git', '.sluice', '.nx', '.yarn']);
const LISTED = new Set(['project.json', 'package.json', '.gitignore', '.nxignore']);

/** A file that changed less than this before it was read may change again without another time stamp. */
const RACY_MS = 50;

/** Opens the files of a workspace for reading; `nowMs` is the time of its file system. */
export function observeFiles(root: string, nowMs: number): ObservedFiles {
  const seen = new Map<string, Observation>();
  const remember = (path: string, isDirectory: boolean, stamp: string, content: string): void => {
    seen.set(path, { path, isDirectory, stamp, content });
  };
  return {
    read: (path) => {
      const stamp = stampOf(resolve(root, path), nowMs);
      const text = readText(resolve(root, path));
      remember(path, false, stamp, text === undefined ? '' : digestOf(text));
      return text;
    },
    list: (dir) => {
      const stamp = stampOf(join(root, dir), nowMs);
      const names = listNames(join(root, dir));
      remember(dir, true, stamp, digestOf(names.join('\0')));
      return names;
    },
    observations: () => [...seen.values()],
  };
}

/** Looks again: the same observation when nothing changed, one with another stamp when only times did, `undefined` when contents did. */
export function observeAgain(root: string, before: Observation, nowMs: number): Observation | undefined {
  const path = resolve(root, before.path);
  const stamp = stampOf(path, nowMs);
  if (stamp !== '' && stamp === before.stamp) return before;
  const again = observeFiles(root, nowMs);
  if (before.isDirectory) again.list(before.path);
  else again.read(before.path);
  const [after] = again.observations();
  return after?.content === before.content ? after : undefined;
}

function stampOf(path: string, nowMs: number): string {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'absent';
  if (Math.max(stat.mtimeMs, stat.ctimeMs) > nowMs - RACY_MS) return '';
  return `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

function listNames(path: string): string[] {
  const names: string[] = [];
  for (const entry of readDirectory(path)) {
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) names.push(`${entry.name}/`);
    } else if (LISTED.has(entry.name) && entry.isFile()) names.push(entry.name);
  }
  return sortUtf8(names);
}

/** A directory that went away or may not be read holds no projects. */
function readDirectory(path: string): fs.Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}
