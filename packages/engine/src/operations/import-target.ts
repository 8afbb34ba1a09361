import { SluiceError } from '../errors.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import type { Selected } from './select.js';

/** The one dataset with one out that something is imported into. Throws `ERR_USAGE` for anything else. */
export function importTarget(selected: readonly Selected[]): { readonly stage: Stage; readonly out: Out } {
  const [one, ...others] = selected;
  if (one === undefined || others.length > 0) throw usage(`${selected.length} stages are selected`);
  const { stage, filterOf } = one;
  const name = stageName(stage.id);
  const [out, ...moreOuts] = stage.outs;
  if (filterOf !== undefined) throw usage(`${name}: an import replaces all of a dataset, not what a pattern names`);
  if (stage.command !== undefined) throw usage(`${name} has a command that makes its outs`);
  if (out === undefined || moreOuts.length > 0) throw usage(`${name} has ${stage.outs.length} outs`);
  return { stage, out };
}

function usage(problem: string): SluiceError {
  return new SluiceError('ERR_USAGE', problem, {
    hint: 'Name one dataset with one out. `nx g @sluice/nx:dataset` declares one.',
  });
}
