import type { ExecutorContext, HostTaskGraph } from './host.js';

/**
 * Whether somebody reads this task's data, so that it has to be in place: the task is the last of its chain, so the user asked for its data,
 * or a task that is not ours waits for it and would look for files. Our own tasks bring what they read themselves.
 */
export function dataIsRead(
  context: ExecutorContext,
  { project, target }: { readonly project: string; readonly target: string },
): boolean {
  const { taskGraph } = context;
  if (taskGraph === undefined) return true;
  const own = taskIdsOf(taskGraph, project, target);
  const waiting = Object.entries(taskGraph.dependencies)
    .filter(([, needed]) => needed.some((edge) => own.has(typeof edge === 'string' ? edge : edge.id)))
    .map(([id]) => id);
  return waiting.length === 0 || waiting.some((id) => !isOurs(context, taskGraph, id));
}

/** A target may be in one command with several configurations; they share their outs. */
function taskIdsOf({ tasks }: HostTaskGraph, project: string, target: string): Set<string> {
  const own = Object.entries(tasks).filter(
    ([, task]) => task.target.project === project && task.target.target === target,
  );
  return new Set(own.map(([id]) => id));
}

function isOurs(context: ExecutorContext, { tasks }: HostTaskGraph, id: string): boolean {
  const named = tasks[id]?.target;
  if (named === undefined) return false;
  const project =
    context.projectsConfigurations?.projects[named.project] ?? context.projectGraph?.nodes[named.project]?.data;
  return project?.targets?.[named.target]?.executor?.startsWith('@sluice/nx:') === true;
}
