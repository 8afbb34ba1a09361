import fs from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { digestOf } from '../model/digest.js';
import { sortUtf8 } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { diskFiles, type TextFiles } from './text-files.js';

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
  const files = diskFiles(root);
  return {
    read: (path) => {
      // The stamp is taken first: a change while reading then shows as another stamp.
      const stamp = lastingStamp(resolve(root, path), nowMs);
      const text = files.read(path);
      seen.set(path, { path, isDirectory: false, stamp, content: text === undefined ? '' : digestOf(text) });
      return text;
    },
    list: (dir) => {
      const stamp = lastingStamp(resolve(root, dir), nowMs);
      const names = listedOf(files.list(dir));
      seen.set(`${dir}/`, { path: dir, isDirectory: true, stamp, content: digestOf(names.join('\0')) });
      return names;
    },
    sightings: () => [...seen.values()],
  };
}

/** Sources that are files of a host, which nobody looks at a second time. */
export function sourcesOf(files: TextFiles): ProjectSources {
  return {
    read: (path) => (isAbsolute(path) ? readIfPresent(path) : files.read(path)),
    list: (dir) => listedOf(files.list(dir)),
    sightings: () => [],
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

/** Of all names, those of files that may declare a project or ignore one, and of directories that may hold them. */
function listedOf(names: readonly string[]): string[] {
  return sortUtf8(names.filter((name) => (name.endsWith('/') ? !SKIPPED.has(name.slice(0, -1)) : LISTED.has(name))));
}
