import type { LockedStage } from '../model/lock.js';
import { type Stage, stageName } from '../stage/stage.js';
import { completeness } from '../store/complete.js';
import type { Store } from '../store/store.js';
import type { OperationContext } from './context.js';
import type { Selected } from './select.js';

/** Names of the stages whose locked data is all in the store: a push can send them from here, whoever made them. Nothing but locks and the store is read. */
export function sendableStages(
  { workspace, readLock }: Pick<OperationContext, 'workspace' | 'readLock'>,
  selected: readonly Selected[],
): string[] {
  const { reader } = workspace.store;
  return selected.flatMap(({ stage }) => {
    const entry = readLock(stage.projectRoot).stages.get(stage.id.target);
    const isThere = entry !== undefined && entry.outs.size > 0 && isSendable(reader, stage, entry);
    return isThere ? [stageName(stage.id)] : [];
  });
}

/** Whether the store has all that a push would send. What git keeps, and what stays here, does not count. */
export function isSendable(reader: Store['reader'], { outs }: Stage, entry: LockedStage): boolean {
  return outs.every(({ path, cache, push }) => {
    const root = entry.outs.get(path);
    return root === undefined || !cache || !push || completeness(reader, root) === 'complete';
  });
}
