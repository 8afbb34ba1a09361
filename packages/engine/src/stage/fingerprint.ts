import { existsSync } from 'node:fs';
import { SluiceError } from '../errors.js';
import { digestOf } from '../model/digest.js';
import type { Part } from '../model/parts.js';
import { absolutePath } from '../workspace/workspace.js';
import type { StageContext } from './context.js';
import { captureOutput } from './run-command.js';
import { type Foreach, type Stage, stageName } from './stage.js';

/** Longer values stand in a fingerprint as their digest: a lock is read by people. */
const LONGEST_TEXT = 200;

/** The parts of a fingerprint that need nothing but the declaration and the environment: command, working directory, outs and env. */
export function declaredParts(stage: Stage, env: StageContext['env']): Part[] {
  return [
    { kind: 'command', name: '', value: stage.command ?? '' },
    { kind: 'cwd', name: '', value: stage.cwd === '' ? '.' : stage.cwd },
    ...(stage.foreach === undefined ? [] : [foreachPart(stage.foreach)]),
    ...stage.outs.map((out): Part => ({ kind: 'out', name: out.path, value: out.cache ? 'store' : 'git' })),
    ...stage.env.map((name): Part => ({ kind: 'env', name, value: envValue(env[name]) })),
  ];
}

/** The part of a `runtime` command: what it prints. Throws `ERR_RUNTIME` if it fails. */
export async function runtimePart(stage: Stage, command: string, context: StageContext): Promise<Part> {
  return { kind: 'runtime', name: command, value: shorten(await runtimeOutput(stage, command, context)) };
}

/** Files that are grouped otherwise are other items. */
function foreachPart({ glob, groupBy }: Foreach): Part {
  const value = groupBy === undefined ? glob.pattern : `${glob.pattern} by ${groupBy}`;
  return { kind: 'foreach', name: '', value };
}

/** A value may be a secret, so only its digest is kept. */
function envValue(value: string | undefined): string {
  return value === undefined ? 'unset' : digestOf(`set:${value}`);
}

async function runtimeOutput(stage: Stage, command: string, context: StageContext): Promise<string> {
  const cwd = absolutePath(context.workspace, stage.cwd);
  if (!existsSync(cwd)) {
    throw new SluiceError('ERR_RUNTIME', `${stageName(stage.id)}: the working directory ${stage.cwd} does not exist`, {
      hint: `Create it, or correct "cwd": the runtime command ${JSON.stringify(command)} runs in it.`,
    });
  }
  const { exitCode, stdout, stderr } = await captureOutput(command, cwd, context);
  if (exitCode === 0) return stdout.trim();
  throw new SluiceError(
    'ERR_RUNTIME',
    `${stageName(stage.id)}: the runtime command ${JSON.stringify(command)} ended with ${exitCode}`,
    {
      hint: `It printed: ${(stderr.trim() || stdout.trim()).slice(0, 300) || 'nothing'}`,
    },
  );
}

function shorten(text: string): string {
  return text.length <= LONGEST_TEXT ? text : digestOf(text);
}
