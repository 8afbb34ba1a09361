import { SluiceError } from '../errors.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { chooseSample, parseSample } from '../model/sample.js';
import type { Out } from '../stage/stage.js';
import { filesInside } from '../stage/tree-entry.js';
import type { OperationContext } from './context.js';
import { locksAt } from './locks-at.js';
import type { FetchOptions } from './options.js';
import type { Selected } from './select.js';

/**
 * Narrows a selection to a sample of the files of each of its outs. Trees that are not here come from the remote; an out that is one file is taken whole. Without
 * a sample the selection stays as it is. Throws `ERR_USAGE` for a sample that makes no sense, and what bringing trees throws.
 */
export async function sampleSelected(
  context: OperationContext,
  selected: readonly Selected[],
  options: FetchOptions,
): Promise<readonly Selected[]> {
  if (options.sample === undefined) {
    if (options.seed !== undefined) throw usage('--seed chooses among samples, and there is no --sample');
    return selected;
  }
  if (options.history === true) throw usage('--sample takes files of one version, and --history wants all versions');
  const sample = parseSample(options.sample);
  const lockOf = await locksAt(context, options.rev);
  const narrowed: Selected[] = [];
  for (const one of selected) {
    const roots = lockOf(one.stage);
    const filters = new Map<Out, PathFilter>();
    for (const out of one.stage.outs) {
      const root = roots?.get(out.path);
      if (root === undefined || root.kind === 'blob' || !out.cache) continue;
      const within = one.filterOf?.(out);
      const paths = (await filesOf(context, root, options.remote ?? out.remote)).filter(
        (path) => within?.(path) ?? true,
      );
      const chosen = new Set(chooseSample(sample, options.seed ?? 0, paths));
      filters.set(out, (path) => chosen.has(path));
    }
    narrowed.push({ ...one, filterOf: (out) => filters.get(out) ?? one.filterOf?.(out) ?? everything });
  }
  return narrowed;
}

async function filesOf(context: OperationContext, root: OutRoot, remote: string | undefined): Promise<string[]> {
  const { reader } = context.workspace.store;
  const list = (): string[] => [...filesInside(reader, root)].map(([path]) => path);
  try {
    return list();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_OBJECT_MISSING') throw error;
    await context.remotes.fetch([{ root, filter: undefined, remote }], 'trees');
    return list();
  }
}

function everything(): boolean {
  return true;
}

function usage(problem: string): SluiceError {
  return new SluiceError('ERR_USAGE', problem, { hint: 'See `sluice pull --help`.' });
}
