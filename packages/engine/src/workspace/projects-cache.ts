import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { digestOf } from '../model/digest.js';
import type { Sighting } from './project-sources.js';
import type { Project, ProjectProblem } from './read-project.js';

/** What was read, and what it was read from. */
export interface ProjectsSnapshot {
  readonly sightings: readonly Sighting[];
  readonly projects: readonly Project[];
  readonly problems: readonly ProjectProblem[];
}

const FORMAT = 'sluice-projects-2';

/** Reads a cache file: a line with format and digest, then JSON. `undefined` when there is none, or when any byte of it is wrong. */
export function loadProjectsCache(file: string): ProjectsSnapshot | undefined {
  try {
    const text = fs.readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== `${FORMAT} ${digestOf(body)}`) return undefined;
    return reviveMaps(body);
  } catch {
    return undefined;
  }
}

/** The present time of the file system that holds the cache, in ms; 0 when nothing can be written there. */
export function fileSystemNow(file: string): number {
  const probe = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    fs.mkdirSync(dirname(file), { recursive: true });
    fs.writeFileSync(probe, '', { flag: 'wx' });
    const { mtimeMs } = fs.statSync(probe);
    fs.rmSync(probe);
    return mtimeMs;
  } catch {
    return 0;
  }
}

/** Writes the cache file as a whole. A failure costs only time: the next start reads everything again. */
export function saveProjectsCache(file: string, snapshot: ProjectsSnapshot): void {
  const body = JSON.stringify(snapshot, (_, value: unknown) => (value instanceof Map ? [...value] : value));
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    fs.writeFileSync(temporary, `${FORMAT} ${digestOf(body)}\n${body}`, { flag: 'wx' });
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

/** The digest says that the text is what was written here, so its shape is known. */
function reviveMaps(body: string): ProjectsSnapshot {
  const snapshot = JSON.parse(body) as ProjectsSnapshot;
  return {
    ...snapshot,
    projects: snapshot.projects.map((project) => ({
      ...project,
      stages: new Map(project.stages),
      matrices: new Map(project.matrices),
    })),
  };
}
