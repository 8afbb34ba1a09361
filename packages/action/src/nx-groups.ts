/** Targets that Nx runs in projects: each of the ones in each of the others. */
export interface NxGroup {
  readonly targets: readonly string[];
  readonly projects: readonly string[];
}

/** A stage by its parts. */
export interface StageParts {
  readonly project: string;
  readonly target: string;
}

/** Puts stages into as few groups as there are different sets of targets in a project, since Nx runs all targets of a command in all its projects. In the order of the stages. */
export function nxGroups(stages: readonly StageParts[]): NxGroup[] {
  const targetsOf = new Map<string, Set<string>>();
  for (const { project, target } of stages)
    targetsOf.set(project, (targetsOf.get(project) ?? new Set<string>()).add(target));
  const groups = new Map<string, { targets: string[]; projects: string[] }>();
  for (const [project, targets] of targetsOf) {
    const key = JSON.stringify([...targets].sort());
    const group = groups.get(key) ?? { targets: [...targets], projects: [] };
    group.projects.push(project);
    groups.set(key, group);
  }
  return [...groups.values()];
}
