import { compareUtf8 } from '../../model/path.js';

/** Something with a name that needs others, by their names. */
export interface Needing {
  readonly name: string;
  readonly needs: readonly string[];
}

/**
 * In which order things can be made: the first level needs none of the list, each other one something of the level before it. Names outside of the list count as made. Levels are sorted by name;
 * what is on a circle is left out.
 */
export function levelsOf<T extends Needing>(nodes: readonly T[]): T[][] {
  const names = new Set(nodes.map(({ name }) => name));
  const neededBy = new Map<string, T[]>();
  const open = new Map<string, number>();
  for (const node of nodes) {
    const needs = new Set(node.needs.filter((need) => names.has(need) && need !== node.name));
    open.set(node.name, needs.size);
    for (const need of needs) neededBy.set(need, [...(neededBy.get(need) ?? []), node]);
  }
  const levels: T[][] = [];
  let level = nodes.filter(({ name }) => open.get(name) === 0);
  while (level.length > 0) {
    levels.push(level.sort((a, b) => compareUtf8(a.name, b.name)));
    const next: T[] = [];
    for (const node of level.flatMap(({ name }) => neededBy.get(name) ?? [])) {
      const count = (open.get(node.name) ?? 0) - 1;
      open.set(node.name, count);
      if (count === 0) next.push(node);
    }
    level = next;
  }
  return levels;
}
