import type { Emit } from '../events.js';
import { rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { type CollectReport, collect } from '../store/gc/collect.js';
import type { RootRef } from '../store/gc/roots.js';
import { listKept, removeKept } from '../store/kept.js';
import { listRecords, removeRecord } from '../store/records.js';
import type { Store } from '../store/store.js';
import { forgetWorkspace } from '../store/workspaces.js';
import { type GatherOptions, gatherRoots } from './gather-roots.js';

/** How to collect a store. */
export interface RunGcOptions extends GatherOptions {
  readonly dryRun?: boolean | undefined;
  /** Bound for the blobs of the store, in bytes: of the results that `recordsMs` keeps, the oldest go first. */
  readonly maxBytes?: number | undefined;
  /** Bytes of live blobs that may be copied to rid packs of garbage. */
  readonly budgetBytes?: number | undefined;
  /** Workspaces, by path, that are taken off the list first; not in a dry run. */
  readonly forget?: readonly string[] | undefined;
}

/** What a collection did, or would do. */
export interface GcOutcome extends CollectReport {
  /** Records and notes that went because their data is nowhere any more. */
  readonly deadRecords: number;
}

/**
 * Collects the store of a workspace. Throws what {@link collect} and {@link gatherRoots} throw; nothing was deleted then.
 */
export async function runGc(options: RunGcOptions): Promise<GcOutcome> {
  const { store, dryRun = false } = options;
  if (!dryRun) for (const path of options.forget ?? []) forgetWorkspace(store, path);
  const roots = gatherRoots(options);
  const { allowUnpushed, maxBytes, budgetBytes, signal, emit } = options;
  const report = await collect(store, { roots, allowUnpushed, maxBytes, budgetBytes, signal, emit, dryRun });
  tellLeft(report, emit);
  const lost = report.dropped.filter((ref) => allowUnpushed === true || ref.unprotected === true);
  const deadRecords = dryRun ? 0 : await removeDeadRecords(store, lost, options.isOnRemote);
  return { ...report, deadRecords };
}

function tellLeft({ left, problems }: CollectReport, emit: Emit): void {
  for (const { code, message, hint } of problems) {
    emit({ type: 'warning', code, message, ...(hint === undefined ? {} : { hint }) });
  }
  if (left.blobs === 0) return;
  emit({ type: 'note', message: `${left.blobs} objects that nothing refers to stay in packs for the next collection` });
}

/**
 * A record stays after its data went: it is small, and what a remote holds can be restored by it. Only when no remote holds the data either it
 * promises something that is nowhere, so it goes, and with it the note about data that was kept aside. `lost`: what has just lost its data
 * without a remote being known to hold it.
 */
async function removeDeadRecords(
  store: Store,
  lost: readonly RootRef[],
  isOnRemote: (root: OutRoot) => Promise<boolean | 'unknown'>,
): Promise<number> {
  const dead = new Set<string>();
  for (const { root } of lost) {
    if (!dead.has(root.digest) && (await isOnRemote(root)) === false) dead.add(root.digest);
  }
  if (dead.size === 0) return 0;
  // Somebody may have made the same result again: objects come before records.
  store.reader.catalog.refresh();
  const isDead = (root: OutRoot): boolean =>
    dead.has(root.digest) && !store.reader.catalog.has(root.kind, rawOf(root.digest));
  let removed = 0;
  for (const listed of listRecords(store)) {
    if (listed.kind !== 'record' || ![...listed.record.outs.values()].some(isDead)) continue;
    if (removeRecord(store, listed.fingerprint)) removed++;
  }
  for (const listed of listKept(store)) {
    if (listed.kind === 'note' && isDead(listed.note.root) && removeKept(store, listed.note.root.digest)) removed++;
  }
  return removed;
}
