import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type DeclarationsReport, SluiceError } from '@sluice/engine';
import type { Inputs } from './inputs.js';
import { nxGroups, type StageParts } from './nx-groups.js';

/** A program with its arguments; a command for the shell has none. */
export interface ChildCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly shell: boolean;
  /** As a person would type it. */
  readonly text: string;
}

/**
 * What the step runs in a workspace, one after another: the command that it names, else the workspace's own Nx on the workspace's own Node, never on that of the runner.
 * Throws `ERR_WORKSPACE` where Nx is not installed, `ERR_USAGE` where there is nothing to run, `ERR_SELECTOR` for a stage that is not declared.
 */
export function commandsOf(root: string, inputs: Inputs, declared: Declared): ChildCommand[] {
  const { command } = inputs;
  if (command !== undefined) return [{ program: command, args: [], shell: true, text: command }];
  if (inputs.stages.length === 0) return [nxCommand(root, nxArguments(inputs, declared.targets))];
  return nxGroups(inputs.stages.map((stage) => declaredStage(stage, declared))).map((group) =>
    nxCommand(root, nxArguments({ ...inputs, ...group }, [])),
  );
}

/** What a workspace declares; see `DeclarationsReport`. */
type Declared = Pick<DeclarationsReport, 'stages' | 'targets'>;

function declaredStage(name: string, { stages }: Declared): StageParts {
  const stage = stages.find(({ project, target }) => `${project}:${target}` === name);
  if (stage !== undefined) return stage;
  throw new SluiceError(
    'ERR_SELECTOR',
    `input stages: ${JSON.stringify(name.slice(0, 200))} is no stage of this workspace`,
    {
      hint: 'Name stages as project:target, a line each; `npx sluice status` lists them.',
    },
  );
}

function nxCommand(root: string, args: readonly string[]): ChildCommand {
  const text = `nx ${args.join(' ')}`;
  const nx = findNx(root);
  if (nx !== undefined) return { program: 'node', args: [nx, ...args], shell: false, text };
  if (existsSync(join(root, '.pnp.cjs'))) return { program: 'yarn', args: ['nx', ...args], shell: false, text };
  throw new SluiceError('ERR_WORKSPACE', `Nx is not installed in ${root}`, {
    hint: 'Install the packages of the workspace in a step before this one, for example with `npm ci`.',
  });
}

/** @internal */
export function nxArguments(inputs: Inputs, stageTargets: readonly string[]): string[] {
  const targets = inputs.targets.length > 0 ? inputs.targets : stageTargets;
  if (targets.length === 0) {
    throw new SluiceError('ERR_USAGE', 'the workspace has no stages, and the input "targets" names nothing', {
      hint: 'Declare a stage with `nx g @sluice/nx:stage`, or name the targets to run.',
    });
  }
  const option = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}=${value}`];
  return [
    inputs.affected ? 'affected' : 'run-many',
    `--targets=${targets.join(',')}`,
    ...(inputs.projects.length === 0 ? [] : [`--projects=${inputs.projects.join(',')}`]),
    ...option('base', inputs.base),
    ...option('head', inputs.head),
    ...option('configuration', inputs.configuration),
    ...option('parallel', inputs.parallel),
    ...inputs.args,
  ];
}

/** The file that `nx` of the workspace starts. */
function findNx(root: string): string | undefined {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('nx/package.json');
    const { bin }: { bin?: { nx?: string } } = JSON.parse(readFileSync(manifest, 'utf8'));
    return bin?.nx === undefined ? undefined : join(dirname(manifest), bin.nx);
  } catch {
    return undefined;
  }
}
