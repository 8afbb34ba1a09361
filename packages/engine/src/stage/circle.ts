import { compareUtf8 } from '../model/path.js';
import { type OutIndex, producersOf } from './out-index.js';
import { type Stage, stageName } from './stage.js';

/** Who needs whose outs, by names of stages. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/** The names of the stages whose outs a stage reads, sorted. */
export function needsOf(stage: Stage, outs: OutIndex): string[] {
  const producers = new Set(producersOf(stage, outs).map(({ producer }) => stageName(producer)));
  return [...producers].sort(compareUtf8);
}

/** The names of the stages on one circle, the first one again at the end; each needs an out of the next. */
export function findCircle(needs: Needs): string[] | undefined {
  const stuck = stuckStages(needs);
  // Every stage that is left needs another one that is left, so a walk along needs must come back to where it was.
  const visited = new Set<string>();
  let [at] = [...stuck].sort(compareUtf8);
  while (at !== undefined && !visited.has(at)) {
    visited.add(at);
    at = needs.get(at)?.find((need) => stuck.has(need));
  }
  return at === undefined ? undefined : fromSmallest([...visited].slice([...visited].indexOf(at)));
}

/** The stages that cannot be made one after the other: those on circles, and those that need one of them (Kahn's algorithm). */
export function stuckStages(needs: Needs): ReadonlySet<string> {
  const neededBy = new Map<string, string[]>();
  const open = new Map<string, number>();
  for (const [name, producers] of needs) {
    open.set(name, producers.length);
    for (const producer of producers) addTo(neededBy, producer, name);
  }
  const stuck = new Set(needs.keys());
  const ready = [...needs.keys()].filter((name) => open.get(name) === 0);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    stuck.delete(name);
    for (const consumer of neededBy.get(name) ?? []) {
      const count = (open.get(consumer) ?? 0) - 1;
      open.set(consumer, count);
      if (count === 0) ready.push(consumer);
    }
  }
  return stuck;
}

function fromSmallest(circle: readonly string[]): string[] {
  const [smallest = ''] = [...circle].sort(compareUtf8);
  const at = circle.indexOf(smallest);
  return [...circle.slice(at), ...circle.slice(0, at), smallest];
}

function addTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
