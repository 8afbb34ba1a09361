import { type ErrorCode, SluiceError } from '../errors.js';
import { type Stage, type StageId, stageName } from './stage.js';

/** Why a part of a fingerprint has no value now: nothing is there, its producer has no result yet, or finding out failed. */
export interface Problem {
  /** The dep or param file. */
  readonly name: string;
  readonly producer?: StageId | undefined;
  readonly error?: SluiceError | undefined;
}

/** What says nothing about the stage, only about this call. */
const OF_THE_CALL: ReadonlySet<ErrorCode> = new Set(['ERR_INTERRUPTED']);

/** Makes a failure to find out one part a problem of its stage, so that it stops no other. Throws what is not about the stage. */
export function problemOf(name: string, error: unknown): Problem {
  if (!(error instanceof SluiceError) || OF_THE_CALL.has(error.code)) throw error;
  return { name, error };
}

/** The error of a stage that has to run in spite of a problem. */
export function problemError(stage: Stage, { name, producer, error }: Problem): SluiceError {
  if (error !== undefined) return error;
  if (producer !== undefined) return upstreamError(stage, name, producer, true);
  return new SluiceError('ERR_DEP_MISSING', `${stageName(stage.id)}: the dep ${name} does not exist`, {
    hint: 'Create it, or correct "deps" in the project.json of the stage.',
    details: { dep: name },
  });
}

/** `ERR_UPSTREAM`: what a stage reads is not there, and its producer has no result. */
export function upstreamError(stage: Stage, dep: string, producer: StageId, hasCommand: boolean): SluiceError {
  const name = stageName(producer);
  return new SluiceError(
    'ERR_UPSTREAM',
    `${stageName(stage.id)} reads ${dep}, which is not there, and ${name} has no result for its inputs yet`,
    {
      hint: hasCommand
        ? `Run ${name} first (\`nx run ${name}\`). Where Nx should have done so, \`sluice doctor\` says why it did not.`
        : `Put the data in its place and run \`sluice commit ${name}\`.`,
      details: { dep, producer: name },
    },
  );
}
