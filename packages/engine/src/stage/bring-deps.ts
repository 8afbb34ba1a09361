import type { RelPath } from '../model/path.js';
import { anyFilter, filterBelow, type PathFilter, pathFilter } from '../model/path-filter.js';
import { observe } from '../workspace/observe.js';
import type { StageContext } from './context.js';
import { globMatcher } from './glob.js';
import { holdStage } from './hold.js';
import { type Producer, producersOf } from './out-index.js';
import { upstreamError } from './problem.js';
import type { Resolver } from './resolve.js';
import { restoreOuts } from './restore.js';
import type { Stage } from './stage.js';

/** Files and bytes that had to be put in place, and how many bytes came from a remote for it. */
export interface Brought {
  readonly files: number;
  readonly bytes: number;
  readonly receivedBytes: number;
}

/**
 * Puts the deps in place that a stage is about to read and that are not there: whole outs, or only the files that a dep names.
 * Throws `ERR_UPSTREAM` if a producer has no result yet, and what `restoreOuts` throws.
 */
export async function bringDeps(context: StageContext, resolver: Resolver, stage: Stage): Promise<Brought> {
  const brought = { files: 0, bytes: 0, receivedBytes: 0 };
  const byOut = new Map<RelPath, Producer[]>();
  for (const producer of producersOf(stage, context.stages.outs)) {
    byOut.set(producer.out, [...(byOut.get(producer.out) ?? []), producer]);
  }
  for (const [path, readers] of byOut) {
    const producer = context.stages.get(readers[0]?.producer ?? stage.id);
    const out = producer?.outs.find((candidate) => candidate.path === path);
    if (producer === undefined || out === undefined) continue;
    const { root, inPlace } = await resolver.out(producer, path);
    if (root === undefined) throw upstreamError(stage, path, producer.id, producer.command !== undefined);
    if (inPlace) continue;
    const held = await holdStage(context, producer, true);
    try {
      // Somebody may have put it there, or more of it, while this process waited, and be reading it now.
      const observed = await observe(context.workspace, path, { as: 'out', signal: context.signal });
      if (observed !== undefined && observed.partOf === undefined) continue;
      const restored = await restoreOuts(context, [
        { stage: producer, out, root, observed, filter: filterOf(path, readers) },
      ]);
      brought.files += restored.written;
      brought.bytes += restored.bytes;
      brought.receivedBytes += restored.fetched.bytes;
    } finally {
      held.release();
    }
  }
  return brought;
}

/** The files of an out that any of the deps reads; `undefined` for all. */
function filterOf(out: RelPath, readers: readonly Producer[]): PathFilter | undefined {
  const filters: PathFilter[] = [];
  for (const { dep, relation } of readers) {
    if (dep.kind === 'glob') {
      const matches = globMatcher(dep.pattern);
      const base = dep.base.startsWith(`${out}/`) ? dep.base.slice(out.length + 1) : '';
      filters.push(pathFilter((path) => matches(`${out}/${path}`), [base]));
    } else if (relation === 'inside') {
      filters.push(filterBelow(dep.path.slice(out.length + 1)));
    } else return undefined;
  }
  return anyFilter(filters);
}
