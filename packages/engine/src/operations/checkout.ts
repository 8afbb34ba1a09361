import { SluiceError } from '../errors.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { placeOf } from '../stage/decide.js';
import { type HeldStage, holdStage } from '../stage/hold.js';
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
  /** Outs with changes that are committed nowhere, and no `force`: refuse all, or leave those as they are. */
  readonly unsaved?: 'refuse' | 'leave' | undefined;
  /** `true`: what is not in the store is told only of outs that lie there in another version. */
  readonly onlyStale?: boolean | undefined;
  /** `false`: leave the outs of a stage that another process holds, instead of waiting. */
  readonly wait?: boolean | undefined;
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
  const unsaved = settings.force ? [] : await findUnsaved(context, selected, lockOf);
  if (settings.unsaved === 'leave') tellUnsaved(context, unsaved);
  else refuseUnsaved(unsaved);
  const isUnsaved = (out: Out): boolean => unsaved.some((one) => one.out === out);
  for (const { stage, filterOf } of selected) {
    const roots = lockOf(stage);
    if (roots === undefined) continue;
    const held = await holdIfFree(context, stage, settings.wait ?? true);
    if (held === undefined) continue;
    try {
      const resolver = new Resolver(context);
      for (const out of stage.outs) {
        const root = roots.get(out.path);
        // What git keeps is git's to check out.
        if (root === undefined || !out.cache || isUnsaved(out)) continue;
        const observed = await resolver.observed(out.path);
        const filter = filterOf?.(out);
        if (placeOf(observed, root) === 'present') {
          workspace.unchanged += root.files;
          continue;
        }
        if (settings.missing === 'leave' && !isHere(context, root, filter)) {
          const isStale = placeOf(observed, root) === 'modified';
          if (isStale || settings.onlyStale !== true) {
            referenceOnly.push({ ...stage.id, path: out.path, files: root.files, bytes: root.bytes });
          }
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

/** The lease of a stage; without waiting, `undefined` and a warning if another process has it. */
async function holdIfFree(context: OperationContext, stage: Stage, wait: boolean): Promise<HeldStage | undefined> {
  try {
    return await holdStage(context, stage, wait);
  } catch (error) {
    if (wait || !(error instanceof SluiceError) || error.code !== 'ERR_HELD') throw error;
    const name = stageName(stage.id);
    context.emit({
      type: 'warning',
      code: error.code,
      message: `${name} stays as it is: ${error.message}`,
      hint: `When it has ended, run: sluice checkout ${name}`,
    });
    return undefined;
  }
}

/** An out with changes that are committed nowhere. */
interface Unsaved {
  readonly stage: Stage;
  readonly out: Out;
}

/** Looks at all outs before the first is touched. */
async function findUnsaved(
  context: OperationContext,
  selected: readonly Selected[],
  lockOf: (stage: Stage) => ReadonlyMap<string, OutRoot> | undefined,
): Promise<Unsaved[]> {
  const resolver = new Resolver(context);
  const changed: Unsaved[] = [];
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
  return changed;
}

function refuseUnsaved(changed: readonly Unsaved[]): void {
  const [first] = changed;
  if (first === undefined) return;
  const others = changed.length > 1 ? `, and ${changed.length - 1} more` : '';
  throw new SluiceError('ERR_OUT_MODIFIED', `${unsavedMessage(first)}${others}`, {
    hint: unsavedHint(first),
    details: { paths: changed.map(({ out }) => out.path) },
  });
}

function tellUnsaved(context: OperationContext, changed: readonly Unsaved[]): void {
  for (const one of changed) {
    const message = `${unsavedMessage(one)}, so it stays as it is`;
    context.emit({ type: 'warning', code: 'ERR_OUT_MODIFIED', message, hint: unsavedHint(one) });
  }
}

function unsavedMessage({ stage, out }: Unsaved): string {
  return `${stageName(stage.id)}: ${out.path} has changes that are committed nowhere`;
}

function unsavedHint({ stage }: Unsaved): string {
  const name = stageName(stage.id);
  return `\`sluice commit ${stage.command === undefined ? '' : '--force '}${name}\` keeps them as a new version; \`sluice checkout --force ${name}\` replaces them and keeps a copy in the store.`;
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
