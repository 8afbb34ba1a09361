import type { LockedStage } from '../model/lock.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import type { Out, Stage } from '../stage/stage.js';
import type { OperationContext } from './context.js';

/** A root to be moved, with the out that it belongs to. */
export interface Item {
  readonly stage: Stage;
  readonly out: Out;
  readonly root: OutRoot;
  readonly filter: PathFilter | undefined;
}

/** What a lock says about a stage. */
export interface Entry {
  readonly stage: Stage;
  readonly entry: LockedStage;
}

/** What the workspace's lock says about a stage; nothing if it does not name it. */
export function lockedEntry(context: OperationContext, stage: Stage): Entry[] {
  const entry = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  return entry === undefined ? [] : [{ stage, entry }];
}

/** The locked roots of outs that are moved at all. */
export function itemsOf({ stage, entry }: Entry, isMeant: (out: Out) => boolean): Item[] {
  return stage.outs.flatMap((out): Item[] => {
    const root = entry.outs.get(out.path);
    return root === undefined || !out.push || !isMeant(out) ? [] : [{ stage, out, root, filter: undefined }];
  });
}

/** Each root once; one of which some files are wanted beside one of which all are. */
export function distinct(items: readonly Item[]): Item[] {
  return [
    ...new Map(
      items.map((item) => [`${item.root.kind} ${item.root.digest} ${item.filter === undefined}`, item]),
    ).values(),
  ];
}
