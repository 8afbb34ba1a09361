import { taskIdOf } from '../nx-context.js';
import type { BatchEnd, BatchGraph, BatchResult, BatchTask } from './nx-batch.js';

/**
 * Runs all tasks of a batch, each when those that it waits for have succeeded, and gives each as it ends. A task behind one that failed is skipped, so every task
 * ends: Nx would run the batch again for one that does not. At most `parallel` run at once, and one that must be alone is.
 */
export async function* runInOrder(
  graph: BatchGraph,
  parallel: number,
  run: (task: BatchTask) => Promise<BatchResult>,
): AsyncGenerator<BatchEnd> {
  const waiting = new Map(Object.values(graph.tasks).map((task) => [task.id, needsOf(graph, task.id)]));
  const neededBy = invert(waiting);
  const running = new Map<string, Promise<BatchEnd>>();
  const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([id]) => id);
  const skipped: string[] = [];
  let alone = false;

  const settle = ({ task, result }: BatchEnd): void => {
    waiting.delete(task);
    for (const consumer of neededBy.get(task) ?? []) {
      const needs = waiting.get(consumer);
      if (needs === undefined) continue;
      if (!result.success) {
        waiting.delete(consumer);
        skipped.push(consumer);
      } else if (needs.delete(task) && needs.size === 0) ready.push(consumer);
    }
  };

  while (waiting.size > 0 || skipped.length > 0 || running.size > 0) {
    const skip = skipped.pop();
    if (skip !== undefined) {
      const end = { task: skip, result: { success: false, status: 'skipped' as const, terminalOutput: '' } };
      settle(end);
      yield end;
      continue;
    }
    while (ready.length > 0 && running.size < parallel && !alone) {
      const task = graph.tasks[ready[0] ?? ''];
      if (task === undefined || (task.parallelism === false && running.size > 0)) break;
      alone = task.parallelism === false;
      ready.shift();
      running.set(
        task.id,
        run(task).then((result) => ({ task: task.id, result })),
      );
    }
    // Only tasks in a circle are left, which Nx has refused before.
    if (running.size === 0) throw new Error(`tasks wait for each other: ${[...waiting.keys()].join(', ')}`);
    const end = await Promise.race(running.values());
    running.delete(end.task);
    if (running.size === 0) alone = false;
    settle(end);
    yield end;
  }
}

function needsOf({ tasks, dependencies }: BatchGraph, id: string): Set<string> {
  const needs = (dependencies[id] ?? []).map(taskIdOf);
  return new Set(needs.filter((need) => Object.hasOwn(tasks, need)));
}

function invert(needs: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
  const inverted = new Map<string, string[]>();
  for (const [id, needed] of needs) {
    for (const need of needed) inverted.set(need, [...(inverted.get(need) ?? []), id]);
  }
  return inverted;
}
