import { levelsOf, type Needing } from './levels.js';

/** Something that takes time, more than 0 ms. */
export interface Weighted extends Needing {
  readonly ms: number;
}

/** What belongs together in one level: in an order in which it can be made. */
export type Group<T> = readonly T[];

/**
 * Folds the levels of a graph into at most `most`, each of which needs only those before it. Inside of one, what is connected is a group, and groups need nothing of each other. Of all ways it is the
 * one with the least time if each group has a machine: the sum over levels of the slowest group; of equal ones the one with the fewest levels.
 */
export function foldLevels<T extends Weighted>(nodes: readonly T[], most: number): Group<T>[][] {
  const levels = levelsOf(nodes);
  const ends = cheapestEnds(slowestBetween(levels), levels.length, most);
  return ends.map((end, at) => groupsOf(levels.slice(ends[at - 1] ?? 0, end)));
}

/** `costs[from][to]`: the slowest group of the levels from `from` up to and without `to`. Groups only grow on the way, so each `from` is walked once. */
function slowestBetween(levels: readonly (readonly Weighted[])[]): number[][] {
  return levels.map((_, from) => {
    const groups = joinable();
    let slowest = 0;
    const row: number[] = [];
    for (let to = from + 1; to <= levels.length; to++) {
      for (const node of levels[to - 1] ?? []) slowest = Math.max(slowest, groups.add(node));
      row[to] = slowest;
    }
    return row;
  });
}

/** Where the levels of the cheapest folding end. */
function cheapestEnds(costs: readonly (readonly number[])[], count: number, most: number): number[] {
  if (count === 0) return [];
  /** For each number of levels that are folded, by how many levels they became: the cost, and where the last one began. */
  let before: { readonly cost: number; readonly ends: readonly number[] }[] = [{ cost: 0, ends: [] }];
  let best: { readonly cost: number; readonly ends: readonly number[] } | undefined;
  for (let used = 1; used <= Math.min(most, count); used++) {
    const now: typeof before = [];
    for (let to = used; to <= count; to++) {
      for (let from = used - 1; from < to; from++) {
        const start = before[from];
        const cost = (start?.cost ?? Number.POSITIVE_INFINITY) + (costs[from]?.[to] ?? Number.POSITIVE_INFINITY);
        if (start !== undefined && cost < (now[to]?.cost ?? Number.POSITIVE_INFINITY))
          now[to] = { cost, ends: [...start.ends, to] };
      }
    }
    const whole = now[count];
    if (whole !== undefined && (best === undefined || whole.cost < best.cost)) best = whole;
    before = now;
  }
  return [...(best?.ends ?? [])];
}

function groupsOf<T extends Weighted>(levels: readonly (readonly T[])[]): Group<T>[] {
  const groups = joinable();
  const nodes = levels.flat();
  for (const node of nodes) groups.add(node);
  const byRoot = new Map<string, T[]>();
  for (const node of nodes) {
    const root = groups.rootOf(node.name);
    const group = byRoot.get(root);
    if (group === undefined) byRoot.set(root, [node]);
    else group.push(node);
  }
  return [...byRoot.values()];
}

/** Groups of what is connected, growing node by node; what a node needs is there before it, or does not count. */
function joinable(): { add(node: Weighted): number; rootOf(name: string): string } {
  const parents = new Map<string, string>();
  const weights = new Map<string, number>();
  const rootOf = (name: string): string => {
    let root = name;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    for (let at = name; at !== root; ) {
      const up = parents.get(at) ?? root;
      parents.set(at, root);
      at = up;
    }
    return root;
  };
  return {
    rootOf,
    /** Returns the weight of the group that the node is in now. */
    add: ({ name, needs, ms }) => {
      parents.set(name, name);
      weights.set(name, ms);
      for (const need of needs) {
        if (!parents.has(need)) continue;
        const [mine, other] = [rootOf(name), rootOf(need)];
        if (mine === other) continue;
        parents.set(mine, other);
        weights.set(other, (weights.get(mine) ?? 0) + (weights.get(other) ?? 0));
      }
      return weights.get(rootOf(name)) ?? ms;
    },
  };
}
