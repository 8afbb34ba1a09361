import type { RelPath } from '../model/path.js';
import type { Reason } from '../model/reason.js';
import { type OutRoot, sameRoot } from '../model/root.js';
import { pendingOf } from '../workspace/hash-snapshot.js';
import { type Look, look } from '../workspace/observe.js';
import { type CommitResult, commitOuts } from './commit-outs.js';
import type { StageContext } from './context.js';
import { refuseLookedPart } from './part-of-out.js';
import { bringCommitted, refuseProtected } from './protect.js';
import { refuseUnmerged } from './refuse-unmerged.js';
import type { Stage } from './stage.js';

/** How a dataset is committed. */
export interface CommitDataOptions {
  /** Take what lies there for all of the data, where only a part was put in place. */
  readonly force?: boolean;
  /** See `CommitInput`. */
  readonly beforeLock?: () => void;
}

/** What was seen of the outs of a dataset. */
export type DataLooks = ReadonlyMap<RelPath, Look>;

/** Looks at the outs of a dataset. Reads no file. */
export async function lookAtData({ workspace, signal }: StageContext, stage: Stage): Promise<DataLooks> {
  const looks = new Map<RelPath, Look>();
  for (const { path } of stage.outs) looks.set(path, await look(workspace, path, { as: 'out', signal }));
  return looks;
}

/** Whether every out is there and at least one holds files whose digests are not known: then a commit costs no more than finding out. */
export function hasUnknownFiles(looks: DataLooks): boolean {
  const snapshots = [...looks.values()].map(({ snapshot }) => snapshot);
  if (snapshots.some((snapshot) => snapshot === undefined)) return false;
  return snapshots.some((snapshot) => snapshot !== undefined && pendingOf(snapshot).length > 0);
}

/**
 * Takes a dataset that is kept by hand into the store and the lock, reading each file once. All its outs have to be there. Returns what changed against the lock too.
 * Throws `ERR_OUT_MODIFIED` for outs that are protected, without `force` for data that a merge was to replace and `ERR_OUT_PART` for outs of which only a part was put in place, and what `commitOuts` throws; the lock stays as it was then.
 */
export async function commitData(
  context: StageContext,
  stage: Stage,
  looked: DataLooks,
  { force = false, beforeLock }: CommitDataOptions = {},
): Promise<CommitResult & { readonly reasons: readonly Reason[] }> {
  const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  if (!force) for (const [path, seen] of looked) refuseLookedPart(stage, path, seen);
  await bringCommitted(context, stage, locked);
  const changed = new Map<RelPath, OutRoot>();
  const committed = await commitOuts(context, stage, {
    parts: [],
    ms: 0,
    record: true,
    looked,
    beforeLock: async () => {
      if (!force) await refuseUnmerged(context, stage, changed);
      beforeLock?.();
    },
    check: (out, root, snapshot) => {
      const before = locked?.outs.get(out.path);
      if (before === undefined || sameRoot(before, root)) return;
      refuseProtected(context.workspace.store.reader, stage, out, before, snapshot);
      changed.set(out.path, root);
    },
  });
  const reasons = [...committed.outs].flatMap(([name, root]): Reason[] => {
    const before = locked?.outs.get(name);
    return sameRoot(before, root) ? [] : [{ kind: 'out', name, before: before?.digest ?? null, after: root.digest }];
  });
  return { ...committed, reasons };
}
