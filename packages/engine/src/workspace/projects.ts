import { compareUtf8, joinRelPath } from '../model/path.js';
import { findProjectFiles, type ProjectFiles, projectFilesAmong } from './find-project-files.js';
import type { JsonObject } from './merge-target.js';
import { readNxJson } from './nx-json.js';
import { packageMatcher } from './package-patterns.js';
import {
  lookAgain,
  looksUnchanged,
  openProjectSources,
  type ProjectSources,
  type Sighting,
  sourcesOf,
} from './project-sources.js';
import { fileSystemNow, loadProjectsCache, type ProjectsSnapshot, saveProjectsCache } from './projects-cache.js';
import {
  type Declarations,
  type DeclaredProject,
  type Project,
  type ProjectProblem,
  readDeclaredProject,
  readProject,
} from './read-project.js';
import type { TextFiles } from './text-files.js';

/** The projects of a workspace, read without Nx. */
export interface WorkspaceProjects {
  /** By name, sorted. */
  readonly projects: ReadonlyMap<string, Project>;
  /** Projects that cannot be used; they do not stand in the way of the others. */
  readonly problems: readonly ProjectProblem[];
}

/**
 * Reads the projects as Nx sees them: `project.json`, `package.json#nx` and `nx.json#targetDefaults`. With a `cacheFile` (it may be absent,
 * stale or damaged) an unchanged workspace costs one `stat` per directory and file. Throws `ERR_WORKSPACE` when `nx.json` is broken.
 */
export function readWorkspace(root: string, { cacheFile }: { readonly cacheFile?: string } = {}): WorkspaceProjects {
  const cached = cacheFile === undefined ? undefined : loadProjectsCache(cacheFile);
  const stale = cached?.sightings.filter((sighting) => !looksUnchanged(root, sighting)) ?? [];
  if (cached !== undefined && stale.length === 0) return toWorkspace(cached);
  const nowMs = cacheFile === undefined ? 0 : fileSystemNow(cacheFile);
  const snapshot = (cached && refresh(root, cached, stale, nowMs)) ?? scan(root, openProjectSources(root, nowMs));
  if (cacheFile !== undefined && nowMs > 0) saveProjectsCache(cacheFile, snapshot);
  return toWorkspace(snapshot);
}

/** Like {@link readWorkspace}, from the files of a host. */
export function readWorkspaceFrom(root: string, files: TextFiles): WorkspaceProjects {
  return toWorkspace(scan(root, sourcesOf(files)));
}

/**
 * Reads the projects that some of these files declare; paths are relative to the workspace root. `sightings` are what was read for it, with `nowMs` as
 * in {@link openProjectSources}. Throws like {@link readWorkspace}.
 */
export function readProjects(
  root: string,
  paths: readonly string[],
  nowMs: number,
): WorkspaceProjects & { readonly sightings: readonly Sighting[] } {
  const snapshot = scan(root, openProjectSources(root, nowMs), projectFilesAmong(paths));
  return { ...toWorkspace(snapshot), sightings: snapshot.sightings };
}

/** The same projects with new sightings when nothing but times changed, for example of a directory where a lock was replaced. */
function refresh(
  root: string,
  cached: ProjectsSnapshot,
  stale: readonly Sighting[],
  nowMs: number,
): ProjectsSnapshot | undefined {
  const renewed = new Map<Sighting, Sighting>();
  for (const sighting of stale) {
    const again = lookAgain(root, sighting, nowMs);
    if (again === undefined) return undefined;
    renewed.set(sighting, again);
  }
  return { ...cached, sightings: cached.sightings.map((sighting) => renewed.get(sighting) ?? sighting) };
}

function scan(root: string, sources: ProjectSources, found?: ProjectFiles): ProjectsSnapshot {
  const { targetDefaults } = readNxJson(root, sources);
  const projects: Project[] = [];
  const problems: ProjectProblem[] = [];
  for (const declarations of findDeclarations(sources, found)) {
    const result = readProject(sources, declarations, targetDefaults);
    if ('message' in result) problems.push(result);
    else projects.push(result);
  }
  return { sightings: sources.sightings(), ...withoutNamesakes(projects, problems) };
}

/** Every project that can be used, with all its targets, each laid over what a plugin of Nx would add to it. Throws `ERR_WORKSPACE` when `nx.json` is broken. */
export function readDeclaredProjects(root: string, files: TextFiles, inferred: JsonObject = {}): DeclaredProject[] {
  const sources = sourcesOf(files);
  const { targetDefaults } = readNxJson(root, sources);
  return [...findDeclarations(sources)].flatMap((declarations) => {
    const result = readDeclaredProject(sources, declarations, targetDefaults, inferred);
    return 'message' in result ? [] : [result];
  });
}

function* findDeclarations(
  sources: ProjectSources,
  { projectJson, packageJson }: ProjectFiles = findProjectFiles(sources),
): Generator<Declarations> {
  const isPackage = packageMatcher(sources);
  for (const root of new Set([...projectJson, ...packageJson])) {
    const hasProjectJson = projectJson.has(root);
    if (!hasProjectJson && !isPackage(joinRelPath(root, 'package.json'))) continue;
    yield { root, hasProjectJson, hasPackageJson: packageJson.has(root) };
  }
}

/** Two projects with one name can both not be addressed. */
function withoutNamesakes(
  projects: readonly Project[],
  problems: readonly ProjectProblem[],
): Omit<ProjectsSnapshot, 'sightings'> {
  const unique = new Map<string, Project>();
  const found = [...problems];
  const taken = new Map<string, Project>();
  for (const project of projects) {
    const { name, file } = project;
    const namesake = taken.get(name);
    taken.set(name, project);
    if (namesake === undefined) unique.set(name, project);
    else {
      unique.delete(name);
      found.push({
        file,
        message: `has the same project name as ${namesake.file}: ${JSON.stringify(name)}`,
        names: [name],
      });
    }
  }
  return { projects: [...unique.values()].sort((a, b) => compareUtf8(a.name, b.name)), problems: found };
}

function toWorkspace({ projects, problems }: ProjectsSnapshot): WorkspaceProjects {
  return { projects: new Map(projects.map((project) => [project.name, project])), problems };
}
