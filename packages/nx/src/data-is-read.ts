import { type ExecutorContext, type NxTaskGraph, taskIdOf } from './nx-context.js';

interface Target {
  readonly project: string;
  readonly target: string;
}

/**
 * Whether somebody reads this task's data, so that it has to be in place: the task is the last of its chain, so the user asked for its data,
 * or a task that is not ours waits for it and would look for files. Our own tasks bring what they read themselves. `endIsRead` is `false` where nobody asked for the
 * data at the end of a chain, as in a job whose results are for others.
 */
export function dataIsRead(context: ExecutorContext, target: Target, endIsRead = true): boolean {
  return waitersOf(context, target).length === 0 ? endIsRead : readersOf(context, target).length > 0;
}

/** The tasks that wait for this one and are not ours, so that they look for files. */
export function readersOf(context: ExecutorContext, target: Target): string[] {
  return waitersOf(context, target).filter((id) => !isOurs(context, id));
}

/** What the tasks of one target wait for. */
export function tasksBefore({ tasks, dependencies }: NxTaskGraph, target: Target): Target[] {
  const own = Object.entries(tasks).filter(([, task]) => nameOf(task.target) === nameOf(target));
  const needed = own.flatMap(([id]) => dependencies[id] ?? []);
  return needed.flatMap((edge) => tasks[taskIdOf(edge)]?.target ?? []);
}

/** By target, the tasks that wait for any of its tasks: a target may be in one command with several configurations, which share their outs. */
type Waiters = ReadonlyMap<string, readonly string[]>;

/** Waiters by graph: a batch asks for each of its tasks. */
const known = new WeakMap<NxTaskGraph, Waiters>();

function waitersOf({ taskGraph }: ExecutorContext, target: Target): readonly string[] {
  return taskGraph === undefined ? [] : (waitersIn(taskGraph).get(nameOf(target)) ?? []);
}

function waitersIn(graph: NxTaskGraph): Waiters {
  const found = known.get(graph) ?? findWaiters(graph);
  known.set(graph, found);
  return found;
}

function findWaiters({ tasks, dependencies }: NxTaskGraph): Waiters {
  const waiters = new Map<string, string[]>();
  for (const [id, needed] of Object.entries(dependencies)) {
    for (const edge of needed) {
      const target = tasks[taskIdOf(edge)]?.target;
      if (target === undefined) continue;
      const name = nameOf(target);
      const ids = waiters.get(name);
      if (ids === undefined) waiters.set(name, [id]);
      else ids.push(id);
    }
  }
  return waiters;
}

function nameOf({ project, target }: Target): string {
  return JSON.stringify([project, target]);
}

function isOurs(context: ExecutorContext, id: string): boolean {
  const named = context.taskGraph?.tasks[id]?.target;
  if (named === undefined) return false;
  const project =
    context.projectsConfigurations?.projects[named.project] ?? context.projectGraph?.nodes[named.project]?.data;
  return project?.targets?.[named.target]?.executor?.startsWith('@sluice/nx:') === true;
}
