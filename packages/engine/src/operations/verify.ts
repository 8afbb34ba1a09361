import { rmSync } from 'node:fs';
import { asSluiceError, SluiceError, toErrorWire } from '../errors.js';
import { rootsOfWorkspace } from '../gc/workspace-roots.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { sameRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import { placeOf } from '../stage/decide.js';
import { type HeldStage, holdStage } from '../stage/hold.js';
import { keepAside } from '../stage/keep-aside.js';
import { Resolver } from '../stage/resolve.js';
import { restoreOuts } from '../stage/restore.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import { verifyStore } from '../store/verify.js';
import { hashPending, pendingOf } from '../workspace/hash-snapshot.js';
import { look, type Observed, observe, outIndexPath } from '../workspace/observe.js';
import { entryPath } from '../workspace/snapshot.js';
import { isStored } from '../workspace/snapshot-complete.js';
import { storeSnapshot } from '../workspace/store-snapshot.js';
import { absolutePath } from '../workspace/workspace.js';
import type { OperationContext } from './context.js';
import type { Finding, VerifyReport } from './reports.js';

/** How much is checked and what is done about it. */
export interface VerifyOptions {
  /** Reads every byte of store and workspace. */
  readonly deep?: boolean;
  readonly repair?: boolean;
  /** Repair from this remote instead of each out's own. */
  readonly from?: string;
}

/**
 * Checks store, links and workspace. Damaged objects are set aside in any case; with `repair` they come back from files of the workspace that still have the bytes, or
 * from a remote, and outs that are not what their stage made are put back, while what lay there is kept in the store.
 */
export async function verify(context: OperationContext, options: VerifyOptions): Promise<VerifyReport> {
  const startedMs = performance.now();
  const roots = await rootsOfWorkspace(context.workspace.root, { signal: context.signal, env: context.env });
  const checked = await verifyStore(context.workspace.store, {
    deep: options.deep,
    roots,
    ...(options.repair === true ? { repairObject: repairer(context, options.from) } : {}),
    emit: context.emit,
    signal: context.signal,
  });
  context.workspace.store.reader.catalog.refresh();
  const findings: Finding[] = checked.findings.map(({ name, problem, repaired }) => ({
    where: 'store',
    name,
    problem: toErrorWire(problem),
    repaired,
  }));
  const seen = { files: 0, bytes: 0 };
  for (const stage of context.stages.all) {
    for (const out of stage.outs) findings.push(...(await verifyOut(context, stage, out, options, seen)));
  }
  return {
    findings,
    checked: { objects: checked.checked.objects, files: seen.files, bytes: checked.checked.bytes + seen.bytes },
    ms: Math.round(performance.now() - startedMs),
  };
}

/** Gets lost objects back all at once, at the first that is asked for: from the workspace where it still has the bytes, the rest from remotes. */
function repairer(
  context: OperationContext,
  from: string | undefined,
): (kind: 'blob' | 'tree', digest: Finding['name']) => Promise<boolean> {
  let done: Promise<void> | undefined;
  return async (kind, digest) => {
    done ??= refill(context, from);
    await done;
    const { reader } = context.workspace.store;
    reader.catalog.refresh();
    return reader.catalog.has(kind, rawOf(digest as Parameters<typeof rawOf>[0]));
  };
}

async function refill(context: OperationContext, from: string | undefined): Promise<void> {
  const { workspace } = context;
  for (const stage of context.stages.all) {
    const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
    for (const out of stage.outs) {
      const root = locked?.outs.get(out.path);
      if (root === undefined) continue;
      const observed = await observe(workspace, out.path, { as: 'out', signal: context.signal });
      if (observed !== undefined && sameRoot(observed.root, root)) await storeAgain(context, out, observed);
      try {
        await context.remotes.fetch(
          [{ root, remote: out.remote }],
          'everything',
          from === undefined ? undefined : [from],
        );
      } catch (error) {
        const { code, message } = asSluiceError(error);
        context.emit({ type: 'warning', code, message: `${stageName(stage.id)} ${out.path}: ${message}` });
      }
    }
  }
}

async function storeAgain({ workspace, signal }: OperationContext, out: Out, { snapshot }: Observed): Promise<void> {
  await workspace.store.write(async (session) => {
    const stored = await storeSnapshot(workspace, session, out.path, snapshot, { bulk: workspace.bulk, signal });
    session.publish(stored.unpublished);
  });
  workspace.store.reader.catalog.refresh();
}

async function verifyOut(
  context: OperationContext,
  stage: Stage,
  out: Out,
  options: VerifyOptions,
  seen: { files: number; bytes: number },
): Promise<Finding[]> {
  const root = context.readLock(stage.projectRoot).stages.get(stage.id.target)?.outs.get(out.path);
  if (root === undefined || !out.cache) return [];
  const held = await holdToLook(context, stage, options.repair === true);
  try {
    const silent = options.deep === true ? await findSilentChanges(context, out) : [];
    const observed = await new Resolver(context).observed(out.path);
    if (observed === undefined) return [];
    seen.files += observed.root.files;
    seen.bytes += options.deep === true ? observed.root.bytes : 0;
    if (placeOf(observed, root) !== 'modified') return [];
    if (silent.length === 0) {
      // What a person keeps by hand may be changed by hand.
      if (stage.command === undefined && out.mutability !== 'strict') return [];
      // Another version that is known is no damage: a run can have ended between its result and its lock, a pull before it came to this out.
      if (isStored(context.workspace.store.reader, observed.snapshot)) return [];
      if (await context.remotes.has({ root: observed.root, remote: out.remote })) return [];
    }
    const where = out.mutability === 'strict' ? 'link' : 'workspace';
    const names = silent.length === 0 ? [out.path] : silent;
    const problem = toErrorWire(modified(stage, out, silent.length > 0));
    let repaired = false;
    if (options.repair === true) {
      await keepAside(context, out.path, observed);
      await restoreOuts(context, [{ stage, out, root, observed }]);
      repaired = true;
    }
    return names.map((name) => ({ where, name, problem, repaired }));
  } finally {
    held?.release();
  }
}

/** Keeps runs away while a stage's outs are looked at. Through a store that cannot be written none can run, so there looking needs no lease. */
async function holdToLook(
  context: OperationContext,
  stage: Stage,
  willWrite: boolean,
): Promise<Pick<HeldStage, 'release'> | undefined> {
  try {
    return await holdStage(context, stage, true);
  } catch (error) {
    if (!willWrite && error instanceof SluiceError && error.code === 'ERR_STORE_UNWRITABLE') return undefined;
    throw error;
  }
}

/** Files that look as they did and have other bytes: bad disks, and edits that put times back. The index forgets them, so that they are seen from now on. */
async function findSilentChanges({ workspace, signal }: OperationContext, out: Out): Promise<string[]> {
  const { snapshot: before } = await look(workspace, out.path, { as: 'out', signal });
  if (before === undefined || pendingOf(before).length > 0) return [];
  const { snapshot: after } = await look(workspace, out.path, { as: 'out', signal });
  if (after === undefined) return [];
  for (const { flags } of after.directories) flags.fill(0);
  await hashPending(absolutePath(workspace, out.path), after.shape, pendingOf(after), true, {
    bulk: workspace.bulk,
    signal,
  });
  const changed: string[] = [];
  after.directories.forEach((directory, d) => {
    const known = before.directories[d]?.digests;
    for (let i = 0; i < directory.names.length; i++) {
      const from = i * RAW_DIGEST_BYTES;
      if (directory.kinds[i] === TREE || known === undefined) continue;
      if (directory.digests.compare(known, from, from + RAW_DIGEST_BYTES, from, from + RAW_DIGEST_BYTES) === 0)
        continue;
      changed.push(after.shape === 'file' ? out.path : `${out.path}/${entryPath(directory, i)}`);
    }
  });
  if (changed.length > 0) rmSync(outIndexPath(workspace, out.path), { force: true });
  return changed;
}

function modified(stage: Stage, out: Out, silently: boolean): SluiceError {
  const name = stageName(stage.id);
  const how = silently
    ? 'has other bytes than were recorded, although size and times are the same'
    : 'is not what its lock says';
  return new SluiceError('ERR_OUT_MODIFIED', `${out.path} (${name}) ${how}`, {
    hint: `sluice verify --repair, or sluice checkout --force ${name}, puts the committed data back; what lies there is kept in the store.`,
  });
}
