import { SluiceError } from '../errors.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { completeness } from '../store/complete.js';
import { relyOn } from '../store/rely.js';
import { type CheckoutCount, type CheckoutOptions, checkoutOut, checkoutPart } from '../workspace/checkout-out.js';
import { ensureIgnored } from '../workspace/gitignore.js';
import type { Observed } from '../workspace/observe.js';
import type { LinkKind } from '../workspace/place-batch.js';
import type { Fetched, StageContext, Want } from './context.js';
import { namingOuts } from './name-missing.js';
import { progress } from './progress.js';
import type { Out, Stage } from './stage.js';

/** An out to be put in place. What is observed there now has to be known to the store. */
export interface Restore {
  readonly stage: Stage;
  readonly out: Out;
  readonly root: OutRoot;
  readonly observed: Observed | undefined;
  /** Only these files, by their path below the out; the out is partial then. */
  readonly filter?: PathFilter | undefined;
  /** The store was just seen to have all that is wanted. */
  readonly isHere?: boolean | undefined;
}

/** What restoring did. */
export interface Restored extends CheckoutCount {
  /** What had to come from a remote first. */
  readonly fetched: Fetched;
}

/**
 * Puts outs in place: brings what is missing from a remote, then checks each out out. The caller holds the leases of their stages.
 * Throws `ERR_NOT_LOCAL`, `ERR_REMOTE_DOWN`, `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`; outs are whole then, old or new.
 */
export async function restoreOuts(
  context: StageContext,
  restores: readonly Restore[],
  link?: LinkKind,
): Promise<Restored> {
  // Roots of records and revisions are in no lock, and a collection must not take their objects away meanwhile.
  const roots = restores.map(({ root }) => root);
  return relyOn(context.workspace.store, roots, () => restoreHeld(context, restores, link));
}

async function restoreHeld(
  context: StageContext,
  restores: readonly Restore[],
  link: LinkKind | undefined,
): Promise<Restored> {
  let fetched = await fetchMissing(context, restores);
  const total = { written: 0, removed: 0, unchanged: 0, bytes: 0 };
  for (const restore of restores) {
    let count: CheckoutCount;
    try {
      count = await restoreOut(context, restore, link);
    } catch (error) {
      const again = await fetchDamaged(context, restore, error);
      fetched = { files: fetched.files + again.files, bytes: fetched.bytes + again.bytes, remote: again.remote };
      count = await restoreOut(context, restore, link);
    }
    total.written += count.written;
    total.removed += count.removed;
    total.unchanged += count.unchanged;
    total.bytes += count.bytes;
  }
  return { ...total, fetched };
}

async function fetchMissing(context: StageContext, restores: readonly Restore[]): Promise<Fetched> {
  const { reader } = context.workspace.store;
  const lacking = restores.filter(
    ({ root, filter, isHere }) => isHere !== true && completeness(reader, root, filter) !== 'complete',
  );
  if (lacking.length === 0) return { files: 0, bytes: 0, remote: undefined };
  const wants = lacking.map(({ root, out, filter }): Want => ({ root, remote: out.remote, filter }));
  const fetched = await namingOuts(lacking, () => context.remotes.fetch(wants, 'everything'));
  reader.catalog.refresh();
  return fetched;
}

/** What was found damaged is aside now, so it is missing, and a remote may have it. Throws the error that told about it if none has. */
async function fetchDamaged(context: StageContext, restore: Restore, error: unknown): Promise<Fetched> {
  if (!(error instanceof SluiceError) || error.code !== 'ERR_OBJECT_DAMAGED') throw error;
  context.workspace.store.reader.catalog.refresh();
  const fetched = await fetchMissing(context, [{ ...restore, isHere: false }]).catch((reason: unknown) => {
    throw reason instanceof SluiceError && reason.code === 'ERR_NOT_LOCAL' ? error : reason;
  });
  if (fetched.remote === undefined) throw error;
  context.emit({ type: 'note', message: `${error.message}; fetched it again from ${fetched.remote}` });
  return fetched;
}

async function restoreOut(context: StageContext, restore: Restore, link: LinkKind | undefined): Promise<CheckoutCount> {
  const { workspace } = context;
  const { stage, out, root, observed, filter } = restore;
  if (out.cache) ensureIgnored(workspace.root, stage.projectRoot, out.path);
  const options: CheckoutOptions = {
    how: linkKinds(workspace.link, out, link),
    readOnly: out.mutability === 'strict',
    signal: context.signal,
    beginProgress: progress(context.emit, 'writing files', out.path),
  };
  const now = observed?.snapshot;
  return filter === undefined
    ? checkoutOut(workspace, out.path, root, now, options)
    : checkoutPart(workspace, out.path, root, now, filter, options);
}

/** A hard link is one file under two names: only for outs that nobody may write. */
export function linkKinds(configured: readonly LinkKind[], out: Out, asked: LinkKind | undefined): readonly LinkKind[] {
  const strict = out.mutability === 'strict';
  if (asked !== undefined && (asked !== 'hardlink' || strict)) return [asked, 'copy'];
  return strict ? ['hardlink', ...configured] : configured;
}
