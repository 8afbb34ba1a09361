import { readInputs } from './input-reader.js';
import type { Inputs } from './inputs.js';

/** What the action `plan` is asked. `plan/action.yml` describes each input. */
export interface PlanInputs extends Pick<Inputs, 'remote' | 'summary' | 'trust' | 'workingDirectories'> {
  /** Selectors. Empty: all stages. */
  readonly stages: readonly string[];
  readonly maxLevels: number;
  readonly shards: number;
}

/** The outputs `level-1` to `level-4` are written down in `plan/action.yml`. */
export const MOST_LEVELS = 4;
/** GitHub takes no more entries in one matrix. */
const MOST_SHARDS = 256;

/** Parses the inputs of the action `plan`. Throws one `ERR_USAGE` that names all that is wrong. */
export function parsePlanInputs(env: Readonly<Record<string, string | undefined>>): PlanInputs {
  const reader = readInputs(env);
  const upTo = (name: string, most: number): number => {
    const count = reader.count(name, 1) ?? most;
    if (count > most) reader.problem(name, `${count} is more than ${most}`);
    return count;
  };
  const directories = reader.lines('working-directory');
  if (directories.length > 1) reader.problem('working-directory', 'one workspace is planned at a time');
  const inputs: PlanInputs = {
    stages: reader.lines('stages'),
    maxLevels: upTo('max-levels', MOST_LEVELS),
    shards: upTo('shards', MOST_SHARDS),
    trust: reader.choice('trust', ['areas', 'strict'], 'areas'),
    // Farther ones get what is pushed; what is read comes from all that are configured.
    remote: reader.list('remote')[0],
    summary: reader.choice('summary', ['always', 'on-change', 'never'], 'always'),
    workingDirectories: directories.length === 0 ? ['.'] : directories,
  };
  reader.finish();
  return inputs;
}
