import { isNeverPassed } from './child-env.js';
import { type InputReader, readInputs } from './input-reader.js';
import { splitWords } from './split-words.js';

/** What a step asks for. `action.yml` describes each input. */
export interface Inputs {
  /** Empty: every target that is a stage. */
  readonly targets: readonly string[];
  /** Empty: all projects. */
  readonly projects: readonly string[];
  readonly affected: boolean;
  /** `project:target`; instead of targets in projects. */
  readonly stages: readonly string[];
  readonly base: string | undefined;
  readonly head: string | undefined;
  readonly configuration: string | undefined;
  readonly parallel: number | undefined;
  /** More arguments for Nx, as words. */
  readonly args: readonly string[];
  /** A command for the shell, instead of Nx. */
  readonly command: string | undefined;
  /** The name of a remote, or a URL. */
  readonly remote: string | undefined;
  /** What follows it in the same input: names of remotes that lie further away. */
  readonly fartherRemotes: readonly string[];
  readonly push: 'auto' | 'never' | 'always';
  readonly commitLock: 'false' | 'true' | 'pull-request';
  /** For what `commitLock` does on GitHub. */
  readonly lockToken: string | undefined;
  readonly gc: 'auto' | 'never' | 'workspace' | 'all-branches' | 'all-tags' | 'all-commits';
  readonly strict: boolean;
  /** What is asked of records and maps of remotes besides what `sluice.json` asks. */
  readonly trust: 'areas' | 'strict';
  /** Names of variables. */
  readonly passEnv: readonly string[];
  readonly summary: 'always' | 'on-change' | 'never';
  /** With it the review of the data is kept as a comment on the pull request. */
  readonly commentToken: string | undefined;
  /** Paths, relative to the checkout. */
  readonly workingDirectories: readonly string[];
}

const GC = ['auto', 'never', 'workspace', 'all-branches', 'all-tags', 'all-commits'] as const;

/** What only means something to Nx. */
const OF_NX = [
  'targets',
  'projects',
  'stages',
  'affected',
  'base',
  'head',
  'configuration',
  'parallel',
  'args',
] as const;

/** Parses the inputs of a step. Throws one `ERR_USAGE` that names all that is wrong. */
export function parseInputs(env: Readonly<Record<string, string | undefined>>): Inputs {
  const reader = readInputs(env);
  const args = splitWords(reader.text('args') ?? '');
  if (args === undefined) reader.problem('args', 'a quotation mark is not closed');
  const inputs: Inputs = {
    targets: reader.list('targets'),
    projects: reader.list('projects'),
    affected: reader.flag('affected'),
    stages: reader.lines('stages'),
    base: reader.text('base'),
    head: reader.text('head'),
    configuration: reader.text('configuration'),
    parallel: reader.count('parallel', 1),
    args: args ?? [],
    command: reader.text('command'),
    remote: reader.list('remote')[0],
    fartherRemotes: reader.list('remote').slice(1),
    push: reader.choice('push', ['auto', 'never', 'always'], 'auto'),
    commitLock: reader.choice('commit-lock', ['false', 'true', 'pull-request'], 'false'),
    lockToken: reader.text('lock-token'),
    gc: reader.choice('gc', GC, 'auto'),
    strict: reader.flag('strict'),
    trust: reader.choice('trust', ['areas', 'strict'], 'areas'),
    passEnv: reader.list('pass-env'),
    summary: reader.choice('summary', ['always', 'on-change', 'never'], 'always'),
    commentToken: reader.text('comment-token'),
    workingDirectories: orElse(reader.lines('working-directory'), ['.']),
  };
  if (inputs.command !== undefined) {
    for (const name of OF_NX.filter((name) => isGiven(reader, name)))
      reader.problem(name, 'says how Nx is run, but "command" runs something else');
  }
  if (!inputs.affected && (inputs.base ?? inputs.head) !== undefined)
    reader.problem(inputs.base === undefined ? 'head' : 'base', 'means nothing without "affected: true"');
  if (inputs.affected && inputs.projects.length > 0)
    reader.problem('projects', 'cannot be chosen together with "affected: true"');
  if (inputs.stages.length > 0) {
    for (const name of (['targets', 'projects', 'affected'] as const).filter((other) => isGiven(reader, other)))
      reader.problem(name, 'cannot be given together with "stages"');
  }
  for (const name of ['stages', 'commit-lock']) {
    if (inputs.workingDirectories.length > 1 && isGiven(reader, name))
      reader.problem(name, 'needs one workspace, but "working-directory" names several');
  }
  if (inputs.commitLock !== 'false' && inputs.push === 'never')
    reader.problem('commit-lock', 'would publish locks without their data, since "push" is never');
  if (inputs.commitLock === 'pull-request' && inputs.lockToken === undefined)
    reader.problem('lock-token', 'is needed to open a pull request with "commit-lock"');
  for (const name of inputs.passEnv) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      reader.problem('pass-env', `${JSON.stringify(name)} is no name of a variable`);
    else if (isNeverPassed(name))
      reader.problem('pass-env', `${name} is never passed on: whoever has it can act as this job`);
  }
  reader.finish();
  return inputs;
}

function isGiven(reader: InputReader, name: string): boolean {
  return reader.text(name) !== undefined && reader.text(name) !== 'false';
}

function orElse<T>(list: readonly T[], otherwise: readonly T[]): readonly T[] {
  return list.length === 0 ? otherwise : list;
}
