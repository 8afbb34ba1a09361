import type { CreateDependenciesContext, ProjectDependency, TargetMetadata } from './nx-shapes.js';

type Projects = CreateDependenciesContext['projects'];

/**
 * Which projects need which others because their stages read what is made or lies there. Read from the metadata that `createNodes` gave to their targets, so nothing is
 * looked up twice. The dependencies are implicit ones: Nx keeps those that a file explains until that file changes, but who makes a dep is said elsewhere.
 */
export function createDependencies(_options: unknown, { projects }: CreateDependenciesContext): ProjectDependency[] {
  const owners = rootsOf(projects);
  const found = new Map<string, ProjectDependency>();
  for (const [source, { targets }] of Object.entries(projects)) {
    for (const { metadata } of Object.values(targets ?? {})) {
      if (!isOurs(metadata?.sluice)) continue;
      const { needs, reads } = metadata.sluice;
      for (const target of [...needs.map(({ project }) => project), ...reads.map((path) => ownerOf(path, owners))]) {
        if (target === undefined || target === source || !Object.hasOwn(projects, target)) continue;
        found.set(JSON.stringify([source, target]), { source, target, type: 'implicit' });
      }
    }
  }
  return [...found.values()];
}

function rootsOf(projects: Projects): Map<string, string> {
  return new Map(Object.entries(projects).map(([name, { root }]) => [root, name]));
}

/** The project of the directory that is nearest to a path. The one in the workspace root owns everything, which says nothing. */
function ownerOf(path: string, owners: ReadonlyMap<string, string>): string | undefined {
  const magic = path.search(/[*?[\]{}()]/);
  let dir = magic < 0 ? path : path.slice(0, Math.max(0, path.lastIndexOf('/', magic)));
  while (dir !== '') {
    const owner = owners.get(dir);
    if (owner !== undefined) return owner;
    dir = dir.slice(0, Math.max(0, dir.lastIndexOf('/')));
  }
  return undefined;
}

function isOurs(value: unknown): value is TargetMetadata['sluice'] {
  return typeof value === 'object' && value !== null && 'needs' in value && 'reads' in value;
}
