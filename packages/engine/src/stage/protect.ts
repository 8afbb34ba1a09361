import { SluiceError } from '../errors.js';
import type { LockedStage } from '../model/lock.js';
import type { OutRoot } from '../model/root.js';
import { completeness } from '../store/complete.js';
import type { ObjectReader } from '../store/reader.js';
import { visible } from '../text/format.js';
import { planDelta, plannedSnapshot } from '../workspace/plan-placement.js';
import { entryPath, type Snapshot } from '../workspace/snapshot.js';
import type { StageContext } from './context.js';
import { type Out, type Stage, stageName } from './stage.js';

/** So many paths a refusal names. */
const MOST_NAMES = 3;

/**
 * Brings the trees of what was committed of `append-only` outs, without which nobody can tell whether files were only added. Throws `ERR_NOT_LOCAL` or
 * `ERR_REMOTE_DOWN` if they cannot be had.
 */
export async function bringCommitted(
  context: StageContext,
  stage: Stage,
  locked: LockedStage | undefined,
): Promise<void> {
  const { reader } = context.workspace.store;
  const wants = stage.outs.flatMap(({ path, mutability, remote }) => {
    const root = locked?.outs.get(path);
    if (mutability !== 'append-only' || root?.kind !== 'tree') return [];
    return completeness(reader, root, () => false) === 'complete' ? [] : [{ root, remote }];
  });
  if (wants.length === 0) return;
  await context.remotes.fetch(wants, 'trees');
  reader.catalog.refresh();
}

/**
 * Refuses to commit over what is declared as protected: any change of a `strict` out, and changed or removed files of an `append-only` one.
 * Throws `ERR_OUT_MODIFIED` that names paths, and `ERR_OBJECT_MISSING` if the trees of an `append-only` out are not here.
 */
export function refuseProtected(reader: ObjectReader, stage: Stage, out: Out, before: OutRoot, now: Snapshot): void {
  if (out.mutability === 'strict') {
    throw refusal(stage, out, 'was changed, and its mutability is strict', changedPaths(reader, out, before, now));
  }
  if (out.mutability !== 'append-only') return;
  const back = planDelta(now, plannedSnapshot(reader, before, out.path));
  // From what is there back to what was committed, an addition only removes files.
  if (back !== undefined && back.put.length === 0 && back.addDirectories.length === 0) return;
  const paths = [
    ...(back?.put ?? []).map(({ directory, entry }) => entryPath(directory, entry)),
    ...(back?.addDirectories ?? []),
  ];
  throw refusal(stage, out, 'had files changed or removed, and its mutability is append-only', paths);
}

/** Files that were changed, removed or added, as far as the committed tree is here. */
function changedPaths(reader: ObjectReader, out: Out, before: OutRoot, now: Snapshot): string[] {
  try {
    const back = planDelta(now, plannedSnapshot(reader, before, out.path));
    return [
      ...(back?.put ?? []).map(({ directory, entry }) => entryPath(directory, entry)),
      ...(back?.removeFiles ?? []),
    ];
  } catch (error) {
    if (error instanceof SluiceError && error.exitCode === 4) return [];
    throw error;
  }
}

function refusal(stage: Stage, out: Out, problem: string, paths: readonly string[]): SluiceError {
  const name = stageName(stage.id);
  const shown = paths.slice(0, MOST_NAMES).map(visible).join(', ');
  const others = paths.length > MOST_NAMES ? ` and ${paths.length - MOST_NAMES} more` : '';
  const which = shown === '' ? '' : ` (${shown}${others})`;
  return new SluiceError('ERR_OUT_MODIFIED', `${name}: ${out.path} ${problem}${which}`, {
    hint: `Run \`sluice checkout --force ${name}\` to get the committed data back (yours is kept in the store), or declare another mutability.`,
    details: { path: out.path, files: paths },
  });
}
