import { SluiceError } from '../errors.js';
import type { OutRoot } from '../model/root.js';
import type { ObjectReader } from '../store/reader.js';
import { planDelta, plannedSnapshot } from '../workspace/plan-placement.js';
import type { Snapshot } from '../workspace/snapshot.js';
import { type Out, type Stage, stageName } from './stage.js';

/**
 * Refuses to commit over what is declared as protected: any change of a `strict` out, and changed or removed files of an `append-only` one.
 * Throws `ERR_OUT_MODIFIED`.
 */
export function refuseProtected(reader: ObjectReader, stage: Stage, out: Out, before: OutRoot, now: Snapshot): void {
  if (out.mutability === 'strict') throw refusal(stage, out, 'was changed, and its mutability is strict');
  if (out.mutability !== 'append-only') return;
  const back = planDelta(now, plannedSnapshot(reader, before, out.path));
  // From what is there back to what was committed, an addition only removes files.
  if (back !== undefined && back.put.length === 0 && back.addDirectories.length === 0) return;
  throw refusal(stage, out, 'had files changed or removed, and its mutability is append-only');
}

function refusal(stage: Stage, out: Out, problem: string): SluiceError {
  const name = stageName(stage.id);
  return new SluiceError('ERR_OUT_MODIFIED', `${name}: ${out.path} ${problem}`, {
    hint: `Run \`sluice checkout --force ${name}\` to get the committed data back (yours is kept in the store), or declare another mutability.`,
    details: { path: out.path },
  });
}
