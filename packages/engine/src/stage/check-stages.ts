import { SluiceError } from '../errors.js';
import { compareUtf8, type RelPath } from '../model/path.js';
import { indexOuts, type OutIndex, type OwnedOut, outsBelow, producersOf } from './out-index.js';
import { type Stage, stageName } from './stage.js';

/**
 * Checks what only all stages together can break: no out equals or lies inside an out of another stage or holds another project
 * (`ERR_STAGE_DEFINITION`, all cases in one error), and no stage needs its own result by way of others (`ERR_CYCLE`).
 * Returns the index of all outs.
 */
export function checkStages(stages: readonly Stage[]): OutIndex {
  const outs = indexOuts(stages);
  const problems = [...collisions(outs), ...heldProjects(stages, outs)];
  if (problems.length > 0) {
    throw new SluiceError('ERR_STAGE_DEFINITION', problems.join('\n'), {
      hint: 'Give each stage outs of its own that lie side by side.',
      details: { problems },
    });
  }
  const cycle = findCycle(stages, outs);
  if (cycle !== undefined) {
    throw new SluiceError('ERR_CYCLE', `stages need each other's outs in a circle: ${cycle.join(' -> ')}`, {
      hint: 'Remove the dep that closes the circle, or narrow a pattern or directory that holds outs of other stages.',
      details: { cycle },
    });
  }
  return outs;
}

function* collisions(outs: OutIndex): Generator<string> {
  const [first, second] = outs.owners;
  if (first !== undefined && second !== undefined) {
    yield `${nameOf(first)} and ${nameOf(second)} both make ${JSON.stringify(first.out.path)}`;
  }
  for (const below of outs.below.values()) {
    if (first !== undefined) {
      for (const inner of outsBelow(below)) {
        yield `${nameOf(inner)} makes ${JSON.stringify(inner.out.path)} inside ${JSON.stringify(first.out.path)}, which ${nameOf(first)} makes`;
      }
    } else yield* collisions(below);
  }
}

function* heldProjects(stages: readonly Stage[], outs: OutIndex): Generator<string> {
  const roots = new Map<RelPath, Stage>(stages.map((stage) => [stage.projectRoot, stage]));
  for (const [root, { id }] of roots) {
    let at: OutIndex | undefined = outs;
    for (const segment of root.split('/')) {
      at = at?.below.get(segment);
      const [owner] = at?.owners ?? [];
      if (owner === undefined) continue;
      yield `${nameOf(owner)} makes ${JSON.stringify(owner.out.path)}, which holds the project ${id.project}`;
      break;
    }
  }
}

/** The names of the stages on one circle, the first one again at the end; each needs an out of the next. */
function findCycle(stages: readonly Stage[], outs: OutIndex): string[] | undefined {
  const needs = needsOf(stages, outs);
  removeSolvable(needs);
  // Every stage that is left needs another one that is left, so a walk along needs must come back to where it was.
  const visited = new Set<string>();
  let [at] = needs.keys();
  while (at !== undefined && !visited.has(at)) {
    visited.add(at);
    at = needs.get(at)?.find((need) => needs.has(need));
  }
  return at === undefined ? undefined : fromSmallest([...visited].slice([...visited].indexOf(at)));
}

/** The stages that each stage needs, both in the order of their names. */
function needsOf(stages: readonly Stage[], outs: OutIndex): Map<string, string[]> {
  const needs = stages.map((stage): [string, string[]] => {
    const producers = new Set(producersOf(stage, outs).map(({ producer }) => stageName(producer)));
    return [stageName(stage.id), [...producers].sort(compareUtf8)];
  });
  return new Map(needs.sort(([a], [b]) => compareUtf8(a, b)));
}

/** Takes out all stages that can be made one after the other (Kahn's algorithm). */
function removeSolvable(needs: Map<string, string[]>): void {
  const neededBy = new Map<string, string[]>();
  const open = new Map<string, number>();
  for (const [name, producers] of needs) {
    open.set(name, producers.length);
    for (const producer of producers) addTo(neededBy, producer, name);
  }
  const ready = [...needs.keys()].filter((name) => open.get(name) === 0);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    needs.delete(name);
    for (const consumer of neededBy.get(name) ?? []) {
      const count = (open.get(consumer) ?? 0) - 1;
      open.set(consumer, count);
      if (count === 0) ready.push(consumer);
    }
  }
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

function nameOf({ stage }: OwnedOut): string {
  return stageName(stage.id);
}
