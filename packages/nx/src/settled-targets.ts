import type { ChosenStage } from '@sluice/engine';
import { tasksBefore } from './data-is-read.js';
import type { ExecutorContext } from './nx-context.js';

/**
 * For a target with a matrix, the targets of its project that the same Nx command has run before it: the plugin makes each stage of the matrix a task, so there is nothing left to
 * run. None where the plugin is not used: the task runs the stages itself then.
 */
export function settledTargets({ taskGraph }: ExecutorContext, { id, options }: ChosenStage): string[] {
  if (taskGraph === undefined || typeof options !== 'object' || options === null || !('matrix' in options)) return [];
  const before = tasksBefore(taskGraph, id).filter(({ project }) => project === id.project);
  return [...new Set(before.map(({ target }) => target))].filter((target) => target.startsWith(`${id.target}@`));
}
