import fs from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../errors.js';
import { digestOf } from '../model/digest.js';
import { sortUtf8 } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';

/** What a file or directory that projects were read from looked like: `stamp` for a quick look, `content` (a digest) for a certain one. */
export interface Sighting {
  /** Relative to the workspace root, or absolute. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** `''`: it had changed so shortly before that its times cannot tell a further change. */
  readonly stamp: string;
  readonly content: string;
}

/** The files and directories that projects are read from; remembers what they looked like. */
export interface ProjectSources {
  /** The text of a file; `undefined` when there is none. */
  readonly read: (path: string) => string | undefined;
  /** The files that may declare a project or ignore one, and the directories, which end with a slash; sorted. Links are left out. */
  readonly list: (dir: string) => string[];
  readonly sightings: () => Sighting[];
}

/** Directories that Nx never looks into, and our store. */
const SKIPPED = new Set(['node_modules', '.git', '.sluice', '.nx', '.yarn']);
const LISTED = new Set(['project.json', 'package.json', '.gitignore', '.nxignore']);

/** What changed less than this before it was read may change again without another time stamp. */
const RACY_MS = 50;

/** Opens the sources of a workspace. `nowMs` is the present time of its file system; 0 when it is not known. */
export function openProjectSources(root: string, nowMs: number): ProjectSources {
  const seen = new Map<string, Sighting>();
  return {
    read: (path) => {
      // The stamp is taken first: a change while reading then shows as another stamp.
      const stamp = lastingStamp(resolve(root, path), nowMs);
      const text = readIfPresent(resolve(root, path));
      seen.set(path, { path, isDirectory: false, stamp, content: text === undefined ? '' : digestOf(text) });
      return text;
    },
    list: (dir) => {
      const stamp = lastingStamp(resolve(root, dir), nowMs);
      const names = listNames(resolve(root, dir));
      seen.set(`${dir}/`, { path: dir, isDirectory: true, stamp, content: digestOf(names.join('\0')) });
      return names;
    },
    sightings: () => [...seen.values()],
  };
}

/** Whether times and size say that nothing changed since. */
export function looksUnchanged(root: string, before: Sighting): boolean {
  return before.stamp !== '' && stampOf(statOf(resolve(root, before.path))) === before.stamp;
}

/** Looks again in full; `undefined` when the content is another one. */
export function lookAgain(root: string, before: Sighting, nowMs: number): Sighting | undefined {
  const sources = openProjectSources(root, nowMs);
  if (before.isDirectory) sources.list(before.path);
  else sources.read(before.path);
  const [after] = sources.sightings();
  return after?.content === before.content ? after : undefined;
}

function statOf(path: string): fs.Stats | undefined {
  return fs.statSync(path, { throwIfNoEntry: false });
}

function stampOf(stat: fs.Stats | undefined): string {
  return stat === undefined ? 'absent' : `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

function lastingStamp(path: string, nowMs: number): string {
  const stat = statOf(path);
  if (stat !== undefined && Math.max(stat.mtimeMs, stat.ctimeMs) > nowMs - RACY_MS) return '';
  return stampOf(stat);
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
