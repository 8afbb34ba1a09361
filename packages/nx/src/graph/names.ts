import type { Dep, StageId } from '@sluice/engine/graph';

/** `project:target` */
export function nodeName({ project, target }: StageId): string {
  return `${project}:${target}`;
}

/** A dep as its stage names it: a path or a pattern. */
export function depName(dep: Dep): string {
  return dep.kind === 'path' ? dep.path : dep.pattern;
}
