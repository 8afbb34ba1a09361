import type { Stage, StageNode } from '@sluice/engine/graph';
import { depName } from './names.js';
import type { TargetMetadata } from './nx-shapes.js';

const LONGEST_COMMAND = 60;
const MOST_SHOWN = 6;

/** What `nx show project` and the graph tell about a stage. */
export function metadataOf(node: StageNode): TargetMetadata {
  const [stage] = node.variants;
  const { problem } = node;
  return {
    technologies: ['sluice'],
    description: problem === undefined ? sentence(stage) : `Cannot run. ${problem.code}: ${problem.message}`,
    sluice: {
      kind: stage === undefined ? 'broken' : stage.command === undefined ? 'dataset' : 'stage',
      reads: readsOf(node),
      needs: needsOf(node),
      makes: stage?.outs.map(({ path }) => path) ?? [],
      ...(problem === undefined ? {} : { problem: `${problem.code}: ${problem.message}` }),
    },
  };
}

/** The same for a target with a matrix, which stands for the stages of its combinations. */
export function matrixMetadata(stages: readonly string[]): TargetMetadata {
  const shown = stages.slice(0, MOST_SHOWN).join(', ');
  const more = stages.length > MOST_SHOWN ? ` and ${stages.length - MOST_SHOWN} more` : '';
  return {
    technologies: ['sluice'],
    description: `Stands for the stages ${shown}${more}`,
    sluice: { kind: 'matrix', reads: [], needs: [], makes: [] },
  };
}

function sentence(stage: Stage | undefined): string {
  const outs = stage?.outs.map(({ path }) => path).join(', ') ?? '';
  if (stage?.command === undefined) return `Keeps the data in ${outs}`;
  const { command } = stage;
  const shown = command.length <= LONGEST_COMMAND ? command : `${command.slice(0, LONGEST_COMMAND - 1)}…`;
  const makes = outs === '' ? '' : ` to make ${outs},`;
  return `Runs \`${shown}\`${makes} when something that decides its result has changed`;
}

function readsOf({ variants, producers }: StageNode): string[] {
  const made = new Set(producers.filter(({ relation }) => relation !== 'contains').map(({ dep }) => depName(dep)));
  const reads = variants.flatMap((stage) => [...stage.deps.map(depName), ...stage.params.map(({ file }) => file)]);
  return [...new Set(reads)].filter((name) => !made.has(name));
}

function needsOf({ producers }: StageNode): TargetMetadata['sluice']['needs'] {
  const needs = producers.map(({ producer, out }) => ({ ...producer, out }));
  return [...new Map(needs.map((need) => [need.out, need])).values()];
}
