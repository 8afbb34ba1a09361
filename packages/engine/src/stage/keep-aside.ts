import { shortDigest } from '../model/digest.js';
import type { RelPath } from '../model/path.js';
import { writeKept } from '../store/kept.js';
import type { Observed } from '../workspace/observe.js';
import { outIndexPath } from '../workspace/observe.js';
import { isStored } from '../workspace/snapshot-complete.js';
import { writeIndex } from '../workspace/stat-index.js';
import { storeSnapshot } from '../workspace/store-snapshot.js';
import type { StageContext } from './context.js';

/**
 * Makes sure that what lies in the place of an out is in the store before it is replaced. Bytes that nobody knows are stored and noted, and the
 * user is told under which digest. Returns whether that was necessary.
 */
export async function keepAside(
  context: StageContext,
  path: RelPath,
  observed: Observed | undefined,
): Promise<boolean> {
  // A part that Sluice put in place is a part of something that is known.
  if (observed === undefined || observed.partOf !== undefined) return false;
  const { workspace } = context;
  if (isStored(workspace.store.reader, observed.snapshot)) return false;
  await workspace.store.write(async (session) => {
    const stored = await storeSnapshot(workspace, session, path, observed.snapshot, {
      bulk: workspace.bulk,
      signal: context.signal,
    });
    session.publish(stored.unpublished);
    writeIndex(outIndexPath(workspace, path), observed.snapshot, observed);
    writeKept(workspace.store, {
      root: stored.root,
      path,
      workspace: workspace.root,
      at: context.now().toISOString(),
      reason: 'it was changed outside of Sluice and then replaced',
    });
  });
  workspace.store.reader.catalog.refresh();
  context.emit({
    type: 'warning',
    message: `${path} had changes that nobody had committed; they are kept in the store as ${shortDigest(observed.root.digest)}`,
    hint: `Get them back with: sluice checkout --kept ${observed.root.digest}`,
  });
  return true;
}
