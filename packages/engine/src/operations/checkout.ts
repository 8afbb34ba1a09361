import { SluiceError } from '../errors.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { placeOf } from '../stage/decide.js';
import { holdStage } from '../stage/hold.js';
import { keepAside } from '../stage/keep-aside.js';
import { Resolver } from '../stage/resolve.js';
import { type Restore, restoreOuts } from '../stage/restore.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import { completeness } from '../store/complete.js';
import { formatBytes, plural } from '../text/index.js';
import type { LinkKind } from '../workspace/place-batch.js';
import type { OperationContext } from './context.js';
import { locksAt } from './locks-at.js';
import type { CheckoutReport } from './reports.js';
import type { Selected } from './select.js';

/** How `checkout` and `pull` treat what they find. */
export interface CheckoutSettings {
  readonly rev?: string | undefined;
  /** Replace changes that nobody has committed; they are kept in the store. */
  readonly force: boolean;
  readonly link?: LinkKind | undefined;
  /** Data that is not in the store: leave it reference-only, or fetch it. */
  readonly missing: 'leave' | 'fetch';
  /** `ERR_NOT_LOCAL` if something was left reference-only. */
  readonly strict: boolean;
}

/**
 * Makes the outs of stages be what the lock, or the lock of a revision, says. Throws `ERR_OUT_MODIFIED` if an out has changes that are committed nowhere,
 * unless `force` is given, before anything is touched; and what restoring throws.
 */
export async function checkout(
  context: OperationContext,
  selected: readonly Selected[],
  settings: CheckoutSettings,
): Promise<CheckoutReport> {
  const startedMs = performance.now();
  const workspace = { written: 0, removed: 0, unchanged: 0 };
  const referenceOnly: CheckoutReport['referenceOnly'][number][] = [];
  let bytes = 0;
  const lockOf = await locksAt(context, settings.rev);
  if (!settings.force) await refuseChanges(context, selected, lockOf);
  for (const { stage, filterOf } of selected) {
    const roots = lockOf(stage);
    if (roots === undefined) continue;
    const held = await holdStage(context, stage, true);
    try {
      const resolver = new Resolver(context);
      for (const out of stage.outs) {
        const root = roots.get(out.path);
        // What git keeps is git's to check out.
        if (root === undefined || !out.cache) continue;
        const observed = await resolver.observed(out.path);
        const filter = filterOf?.(out);
        if (placeOf(observed, root) === 'present') {
          workspace.unchanged += root.files;
          continue;
        }
        if (settings.missing === 'leave' && !isHere(context, root, filter)) {
          referenceOnly.push({ ...stage.id, path: out.path, files: root.files, bytes: root.bytes });
          continue;
        }
        await keepAside(context, out.path, observed);
        const restore: Restore = { stage, out, root, observed, filter, isHere: settings.missing === 'leave' };
        const restored = await restoreOuts(context, [restore], settings.link);
        workspace.written += restored.written;
        workspace.removed += restored.removed;
        workspace.unchanged += restored.unchanged;
        bytes += restored.bytes;
      }
    } finally {
      held.release();
    }
  }
  tellReferenceOnly(context, referenceOnly, settings.strict);
  return { workspace, bytes, referenceOnly, ms: Math.round(performance.now() - startedMs) };
}

function isHere({ workspace }: OperationContext, root: OutRoot, filter: PathFilter | undefined): boolean {
  return completeness(workspace.store.reader, root, filter) === 'complete';
}

/** Looks at all outs before the first is touched. */
async function refuseChanges(
  context: OperationContext,
  selected: readonly Selected[],
  lockOf: (stage: Stage) => ReadonlyMap<string, OutRoot> | undefined,
): Promise<void> {
  const resolver = new Resolver(context);
  const changed: { stage: Stage; out: Out }[] = [];
  for (const { stage } of selected) {
    const roots = lockOf(stage);
    for (const out of stage.outs) {
      const root = roots?.get(out.path);
      if (root === undefined || !out.cache) continue;
      const observed = await resolver.observed(out.path);
      if (observed === undefined || placeOf(observed, root) !== 'modified' || observed.partOf !== undefined) continue;
      if (!isHere(context, observed.root, undefined) && !(await isCommitted(context, stage, out, observed.root))) {
        changed.push({ stage, out });
      }
    }
  }
  const [first] = changed;
  if (first === undefined) return;
  const name = stageName(first.stage.id);
  const others = changed.length > 1 ? `, and ${changed.length - 1} more` : '';
  throw new SluiceError(
    'ERR_OUT_MODIFIED',
    `${name}: ${first.out.path} has changes that are committed nowhere${others}`,
    {
      hint: `\`sluice commit ${first.stage.command === undefined ? '' : '--force '}${name}\` keeps them as a new version; \`--force\` replaces them and keeps a copy in the store.`,
      details: { paths: changed.map(({ out }) => out.path) },
    },
  );
}

/** A version that the store has dropped but a remote holds is not lost when it is replaced. */
async function isCommitted(context: OperationContext, stage: Stage, out: Out, root: OutRoot): Promise<boolean> {
  if (context.readLock(stage.projectRoot).stages.get(stage.id.target)?.outs.get(out.path)?.digest === root.digest)
    return true;
  return context.remotes.has({ root, remote: out.remote });
}

function tellReferenceOnly(context: OperationContext, left: CheckoutReport['referenceOnly'], strict: boolean): void {
  for (const { project, target, path, files, bytes } of left) {
    const name = `${project}:${target}`;
    const message = `${name} ${plural(files, 'file')} (${formatBytes(bytes)}) in ${path} ${files === 1 ? 'is' : 'are'} reference-only`;
    const hint = `Run: sluice pull ${name}`;
    if (strict) throw new SluiceError('ERR_NOT_LOCAL', message, { hint, details: { path, files, bytes } });
    context.emit({ type: 'warning', code: 'ERR_NOT_LOCAL', message, hint });
  }
}
