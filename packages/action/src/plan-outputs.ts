import { type PlanReport, SluiceError } from '@sluice/engine';
import { MOST_LEVELS } from './plan-inputs.js';

/** All outputs of a job together may have 1 MiB, and characters may take more than one byte. */
const MOST_CHARACTERS = 700_000;
const LONGEST_WHY = 200;

/**
 * The outputs of the action `plan`, by name: for each level a list for a matrix, `[]` for one that is not needed, whose `stages` are what the input of that name takes. Throws `ERR_USAGE` if a runner would
 * drop them for their size.
 */
export function planOutputs({ stages, levels }: PlanReport, reportPath: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (let at = 1; at <= MOST_LEVELS; at++) {
    const entries = (levels[at - 1] ?? []).map(({ name, stages: names, why }) => ({
      name,
      stages: names.join('\n'),
      why: why.slice(0, LONGEST_WHY),
    }));
    outputs[`level-${at}`] = JSON.stringify(entries);
    outputs[`has-level-${at}`] = String(entries.length > 0);
  }
  const named = (...actions: string[]): string[] =>
    stages.filter(({ action }) => actions.includes(action)).map(({ project, target }) => `${project}:${target}`);
  outputs.count = String(named('run', 'may-run').length);
  outputs.restorable = String(named('restore').length);
  outputs.left = JSON.stringify(named('left'));
  outputs.changed = String(stages.length > 0);
  outputs.report = reportPath;
  const size = Object.values(outputs).reduce((sum, value) => sum + value.length, 0);
  if (size > MOST_CHARACTERS)
    throw new SluiceError('ERR_USAGE', `the plan takes ${size} characters, more than a runner passes on`, {
      hint: 'Plan some of the stages at a time with the input "stages".',
    });
  return outputs;
}
