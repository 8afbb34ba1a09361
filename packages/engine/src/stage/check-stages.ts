import { SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import { findCircle, needsOf } from './circle.js';
import { indexOuts, type OutIndex, type OwnedOut, outsBelow } from './out-index.js';
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
  const cycle = findCircle(new Map(stages.map((stage) => [stageName(stage.id), needsOf(stage, outs)])));
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

function nameOf({ stage }: OwnedOut): string {
  return stageName(stage.id);
}
