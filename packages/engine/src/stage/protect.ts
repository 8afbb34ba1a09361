import { SluiceError } from '../errors.js';
import type { ObjectReader } from '../store/reader.js';
import { planDelta, plannedSnapshot } from '../workspace/plan-placement.js';
import type { Decision, OutState } from './decide.js';
import { type Stage, stageName } from './stage.js';

/**
 * Refuses to commit over what is declared as protected: any change of a `strict` out, and changed or removed files of an `append-only` one.
 * Throws `ERR_OUT_MODIFIED`.
 */
export function refuseProtected(reader: ObjectReader, stage: Stage, decision: Decision): void {
  for (const state of decision.outs) {
    if (state.place !== 'modified' || state.root === undefined) continue;
    if (state.out.mutability === 'strict') throw refusal(stage, state, 'was changed, and its mutability is strict');
    if (state.out.mutability === 'append-only') refuseRewritten(reader, stage, state);
  }
}

function refuseRewritten(reader: ObjectReader, stage: Stage, state: OutState): void {
  const { root, observed, out } = state;
  if (root === undefined || observed === undefined) return;
  const before = plannedSnapshot(reader, root, out.path);
  const kept = planDelta(observed.snapshot, before);
  // From what is there back to what was committed, an addition only removes files.
  if (kept !== undefined && kept.put.length === 0 && kept.addDirectories.length === 0) return;
  throw refusal(stage, state, 'had files changed or removed, and its mutability is append-only');
}

function refusal(stage: Stage, { out }: OutState, problem: string): SluiceError {
  const name = stageName(stage.id);
  return new SluiceError('ERR_OUT_MODIFIED', `${name}: ${out.path} ${problem}`, {
    hint: `Run \`sluice checkout --force ${name}\` to get the committed data back (yours is kept in the store), or declare another mutability.`,
    details: { path: out.path },
  });
}
