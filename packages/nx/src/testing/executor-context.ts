import type { ExecutorContext } from '@nx/devkit';

/** Tasks by id (`project:target`): the executor of each, and the tasks that it waits for. */
export type FakeTasks = Readonly<Record<string, { readonly executor: string; readonly needs?: readonly string[] }>>;

/** The context that Nx gives to the executor of `own` when it runs `tasks` in one command. */
export function executorContext(root: string, own: string, tasks: FakeTasks = {}): ExecutorContext {
  const [projectName = '', targetName = ''] = own.split(':');
  const projects: ExecutorContext['projectsConfigurations']['projects'] = {};
  for (const [id, { executor }] of Object.entries(tasks)) {
    const [project = '', target = ''] = id.split(':');
    projects[project] ??= { root: project, targets: {} };
    projects[project].targets = { ...projects[project].targets, [target]: { executor } };
  }
  return {
    root,
    cwd: root,
    isVerbose: false,
    projectName,
    targetName,
    projectsConfigurations: { version: 2, projects },
    nxJsonConfiguration: {},
    projectGraph: { nodes: {}, dependencies: {} },
    taskGraph: {
      roots: [],
      continuousDependencies: {},
      tasks: Object.fromEntries(Object.keys(tasks).map((id) => [id, task(id)])),
      dependencies: Object.fromEntries(Object.entries(tasks).map(([id, { needs }]) => [id, [...(needs ?? [])]])),
    },
  };
}

function task(id: string): NonNullable<ExecutorContext['taskGraph']>['tasks'][string] {
  const [project = '', target = ''] = id.split(':');
  return { id, target: { project, target }, overrides: {}, outputs: [], cache: false, parallelism: true };
}
