import type { ExecutorContext, NxTaskGraph } from './nx-context.js';

/**
 * Whether somebody reads this task's data, so that it has to be in place: the task is the last of its chain, so the user asked for its data,
 * or a task that is not ours waits for it and would look for files. Our own tasks bring what they read themselves. `endIsRead` is `false` where nobody asked for the
 * data at the end of a chain, as in a job whose results are for others.
 */
export function dataIsRead(
  context: ExecutorContext,
  { project, target }: { readonly project: string; readonly target: string },
  endIsRead = true,
): boolean {
  const { taskGraph } = context;
  if (taskGraph === undefined) return endIsRead;
  const waiting = waitersIn(taskGraph).get(nameOf(project, target)) ?? [];
  return waiting.length === 0 ? endIsRead : waiting.some((id) => !isOurs(context, taskGraph, id));
}

/** What the tasks of one target wait for. */
export function tasksBefore(
  { tasks, dependencies }: NxTaskGraph,
  { project, target }: { readonly project: string; readonly target: string },
): { readonly project: string; readonly target: string }[] {
  const own = Object.entries(tasks).filter(
    ([, task]) => nameOf(task.target.project, task.target.target) === nameOf(project, target),
  );
  const needed = own.flatMap(([id]) => dependencies[id] ?? []);
  return needed.flatMap((edge) => tasks[typeof edge === 'string' ? edge : edge.id]?.target ?? []);
}

/** By target, the tasks that wait for any of its tasks: a target may be in one command with several configurations, which share their outs. */
type Waiters = ReadonlyMap<string, readonly string[]>;

/** Waiters by graph: a batch asks for each of its tasks. */
const known = new WeakMap<NxTaskGraph, Waiters>();

function waitersIn(graph: NxTaskGraph): Waiters {
  const found = known.get(graph) ?? findWaiters(graph);
  known.set(graph, found);
  return found;
}

function findWaiters({ tasks, dependencies }: NxTaskGraph): Waiters {
  const waiters = new Map<string, string[]>();
  for (const [id, needed] of Object.entries(dependencies)) {
    for (const edge of needed) {
      const target = tasks[typeof edge === 'string' ? edge : edge.id]?.target;
      if (target === undefined) continue;
      const name = nameOf(target.project, target.target);
      const ids = waiters.get(name);
      if (ids === undefined) waiters.set(name, [id]);
      else ids.push(id);
    }
  }
  return waiters;
}

function nameOf(project: string, target: string): string {
  return JSON.stringify([project, target]);
}

function isOurs(context: ExecutorContext, { tasks }: NxTaskGraph, id: string): boolean {
  const named = tasks[id]?.target;
  if (named === undefined) return false;
  const project =
    context.projectsConfigurations?.projects[named.project] ?? context.projectGraph?.nodes[named.project]?.data;
  return project?.targets?.[named.target]?.executor?.startsWith('@sluice/nx:') === true;
}
