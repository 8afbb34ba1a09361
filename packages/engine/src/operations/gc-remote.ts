import { hostname, userInfo } from 'node:os';
import { gatherRemoteRoots } from '../gc/remote-roots.js';
import { type CollectRemoteReport, collectRemote } from '../remote/gc/collect.js';
import type { OperationContext } from './context.js';
import { gatherOptions } from './gc.js';
import type { GcRemoteOptions } from './options.js';
import type { GcRemoteReport } from './reports.js';

/** No push takes longer. */
const GRACE_MS = 24 * 60 * 60 * 1000;

/**
 * Collects a remote: what nothing needs is condemned first, and deleted by the collection that comes when the grace period is over. Throws what {@link collectRemote} and
 * {@link gatherRemoteRoots} throw; where that is `ERR_GC_STOPPED`, nothing was deleted.
 */
export async function collectRemoteGarbage(
  context: OperationContext,
  options: GcRemoteOptions,
): Promise<GcRemoteReport> {
  const startedMs = performance.now();
  const { workspace, signal, emit } = context;
  const { dryRun = false, graceMs = GRACE_MS, recordsMs, foreignMs } = options;
  const opened = context.remotes.open(options.remote);
  if (graceMs < GRACE_MS && !dryRun) {
    emit({
      type: 'warning',
      message: 'a grace period of less than a day is safe only while nobody pushes to the remote',
    });
  }
  workspace.store.reader.catalog.refresh();
  const report: CollectRemoteReport = await collectRemote({
    remote: opened.remote,
    reader: workspace.store.reader,
    roots: () => gatherRemoteRoots(gatherOptions(context, options)),
    graceMs,
    recordsMs,
    foreignMs,
    dryRun,
    nowMs: context.now().getTime(),
    by: `${userName()}@${hostname()}`,
    signal,
  });
  const { dueMs, unfinished, ...counts } = report;
  if (unfinished.problem !== undefined) {
    const message = `unfinished uploads on ${opened.name} stay where they are: ${unfinished.problem.message}`;
    emit({ type: 'note', message });
  }
  return {
    remote: opened.name,
    ...counts,
    keptUnpushed: { blobs: 0, trees: 0, bytes: 0 },
    dueMs: dueMs ?? null,
    unfinished: unfinished.objects.map(({ key, bytes, modifiedMs }) => ({
      key,
      bytes,
      since: new Date(modifiedMs).toISOString(),
    })),
    dryRun,
    ms: Math.round(performance.now() - startedMs),
  };
}

/** A container may have users without names. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
