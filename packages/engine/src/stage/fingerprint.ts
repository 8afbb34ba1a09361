import { SluiceError } from '../errors.js';
import { digestOf } from '../model/digest.js';
import type { Part } from '../model/parts.js';
import { absolutePath } from '../workspace/workspace.js';
import type { StageContext } from './context.js';
import { readParams } from './params.js';
import { captureOutput } from './run-command.js';
import { type Stage, stageName } from './stage.js';

/** Longer values stand in a fingerprint as their digest: a lock is read by people. */
const LONGEST_TEXT = 200;

/**
 * The parts of a fingerprint that need no dep: command, working directory, params, env, runtime and the declared outs.
 * Throws `ERR_PARAM` or `ERR_RUNTIME`.
 */
export async function ownParts(stage: Stage, context: StageContext): Promise<Part[]> {
  const parts: Part[] = [
    { kind: 'command', name: '', value: stage.command ?? '' },
    { kind: 'cwd', name: '', value: stage.cwd === '' ? '.' : stage.cwd },
    ...stage.outs.map((out): Part => ({ kind: 'out', name: out.path, value: out.cache ? 'store' : 'git' })),
    ...stage.env.map((name): Part => ({ kind: 'env', name, value: envValue(context.env[name]) })),
  ];
  if (stage.params.length > 0) parts.push(...(await readParams(context.workspace.root, stage.params)));
  for (const command of stage.runtime) {
    parts.push({ kind: 'runtime', name: command, value: shorten(await runtimeOutput(stage, command, context)) });
  }
  return parts;
}

/** A value may be a secret, so only its digest is kept. */
function envValue(value: string | undefined): string {
  return value === undefined ? 'unset' : digestOf(`set:${value}`);
}

async function runtimeOutput(stage: Stage, command: string, context: StageContext): Promise<string> {
  const { exitCode, stdout, stderr } = await captureOutput(
    command,
    absolutePath(context.workspace, stage.cwd),
    context,
  );
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
