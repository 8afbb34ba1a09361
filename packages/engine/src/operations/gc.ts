import { explainGc } from '../gc/explain-gc.js';
import type { GatherOptions } from '../gc/gather-roots.js';
import { runGc } from '../gc/run-gc.js';
import type { OutRoot } from '../model/root.js';
import { evicts } from '../workspace/remote-url.js';
import type { OperationContext } from './context.js';
import type { GcOptions } from './options.js';
import type { GcExplanation, GcReport } from './reports.js';

/**
 * Drops what nothing refers to from the store. Throws `ERR_GC_STOPPED` for a tree or a workspace that cannot be read, `ERR_SHALLOW_CLONE` for a history scope in a
 * shallow clone; nothing was deleted then.
 */
export async function collectGarbage(context: OperationContext, options: GcOptions): Promise<GcReport> {
  const startedMs = performance.now();
  const holders = new Set<string>();
  const { removed, kept, keptUnpushed } = await runGc({
    ...gatherOptions(context, options, holders),
    dryRun: options.dryRun,
    forget: options.forgetWorkspace === undefined ? [] : [options.forgetWorkspace],
  });
  if (holders.size > 0 && removed.blobs + removed.trees > 0) {
    const verb = options.dryRun === true ? 'would be' : 'were';
    context.emit({
      type: 'note',
      message: `the results that ${verb} dropped are on ${[...holders].sort().join(', ')}`,
    });
  }
  const ms = Math.round(performance.now() - startedMs);
  return { removed, kept, keptUnpushed, dryRun: options.dryRun ?? false, ms };
}

/** Why an object, named by its digest or by a path in the workspace, would be kept. Throws like {@link collectGarbage}. */
export async function explainGarbage(
  context: OperationContext,
  options: GcOptions & { readonly what: string },
): Promise<GcExplanation> {
  const { digest, keptBy } = await explainGc(options.what, gatherOptions(context, options));
  return { digest, keptBy };
}

/** Where a collection looks for roots; `holders` takes the names of the remotes that hold what is asked about. */
export function gatherOptions(
  context: OperationContext,
  options: GcOptions,
  holders: Set<string> = new Set(),
): GatherOptions {
  const { allBranches, allTags, allCommits, revs, since, num, recordsMs, allowUnpushed } = options;
  const unpushed = new Set<string>();
  for (const { outs } of context.stages.all) for (const { path, push } of outs) if (!push) unpushed.add(path);
  return {
    store: context.workspace.store,
    root: context.workspace.root,
    scope: {
      ...(allBranches === undefined ? {} : { allBranches }),
      ...(allTags === undefined ? {} : { allTags }),
      ...(allCommits === undefined ? {} : { allCommits }),
      ...(revs === undefined ? {} : { revs }),
      ...(since === undefined ? {} : { since }),
      ...(num === undefined ? {} : { num }),
      recordsMs,
    },
    isOnRemote: (root) => isOnRemote(context, root, holders),
    isPushed: (path) => !unpushed.has(path),
    allowUnpushed,
    now: context.now(),
    emit: context.emit,
    env: context.env,
    signal: context.signal,
  };
}

/** A root is safe if any remote that keeps what it is given holds all of it. Where one does not answer and no other holds it, nobody knows. */
async function isOnRemote(
  { remotes, config }: OperationContext,
  root: OutRoot,
  holders: Set<string>,
): Promise<boolean | 'unknown'> {
  let answer: false | 'unknown' = false;
  for (const [name, { location }] of config.remotes) {
    if (evicts(location)) continue;
    const state = await remotes.state(name, root);
    if (state === 'complete') {
      holders.add(name);
      return true;
    }
    if (state !== 'absent') answer = 'unknown';
  }
  return answer;
}
