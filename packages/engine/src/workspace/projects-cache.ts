import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { loadCheckedJson, saveCheckedJson } from './checked-json.js';
import type { Sighting } from './project-sources.js';
import type { Project, ProjectProblem } from './read-project.js';

/** What was read, and what it was read from. */
export interface ProjectsSnapshot {
  readonly sightings: readonly Sighting[];
  readonly projects: readonly Project[];
  readonly problems: readonly ProjectProblem[];
}

const FORMAT = 'sluice-projects-2';

/** Reads the cached view of a workspace. `undefined` when there is none, or when any byte of it is wrong. */
export function loadProjectsCache(file: string): ProjectsSnapshot | undefined {
  const loaded = loadCheckedJson(file, FORMAT);
  return loaded === undefined ? undefined : reviveMaps(loaded);
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

/** Writes the cached view. A failure costs only time: the next start reads everything again. */
export function saveProjectsCache(file: string, snapshot: ProjectsSnapshot): void {
  saveCheckedJson(
    file,
    FORMAT,
    JSON.stringify(snapshot, (_, value: unknown) => (value instanceof Map ? [...value] : value)),
  );
}

/** The digest says that this is what was written here, so its shape is known. */
function reviveMaps(loaded: unknown): ProjectsSnapshot {
  const snapshot = loaded as ProjectsSnapshot;
  return {
    ...snapshot,
    projects: snapshot.projects.map((project) => ({
      ...project,
      stages: new Map(project.stages),
      matrices: new Map(project.matrices),
    })),
  };
}
