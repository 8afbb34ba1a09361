import { SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import type { RootRef } from '../store/gc/roots.js';
import { listKept } from '../store/kept.js';
import { listRecords } from '../store/records.js';
import type { Store } from '../store/store.js';
import { rootsOfOuts } from './named-root.js';

/** What the records name that were made since then (ms), the latest first; all of it may go if the store is bounded in size. */
export function rootsOfRecordsSince(store: Store, sinceMs: number): RootRef[] {
  const recent: { madeMs: number; refs: RootRef[] }[] = [];
  for (const listed of listRecords(store, sinceMs)) {
    if (listed.kind === 'damaged') stopAtDamaged(listed.path, listed.problem);
    const { outs, stage, made } = listed.record;
    const madeMs = Date.parse(made.at);
    const refs = rootsOfOuts(outs, recordName(stage, made.at)).map((ref) => ({ ...ref, droppable: true }));
    if (madeMs >= sinceMs) recent.push({ madeMs, refs });
  }
  return recent.sort((a, b) => b.madeMs - a.madeMs).flatMap(({ refs }) => refs);
}

/**
 * What all records and notes name. Outs that are never pushed are not protected: no remote will ever hold them. A record or note that cannot be read
 * may be all that names unpushed data: `onDamaged` is called with its path.
 */
export function recordedRoots(
  store: Store,
  isPushed: (path: RelPath) => boolean,
  onDamaged: (path: string, problem: SluiceError) => void,
): RootRef[] {
  const refs: RootRef[] = [];
  for (const listed of listRecords(store)) {
    if (listed.kind === 'damaged') {
      onDamaged(listed.path, listed.problem);
      continue;
    }
    const { outs, stage, made } = listed.record;
    const named = rootsOfOuts(outs, recordName(stage, made.at));
    refs.push(...named.map((ref) => ({ ...ref, unprotected: !isPushed(ref.path) })));
  }
  for (const listed of listKept(store)) {
    if (listed.kind === 'damaged') {
      onDamaged(listed.file, listed.problem);
      continue;
    }
    const { root, path, at, reason } = listed.note;
    refs.push({ root, why: `${path}, kept aside at ${at} (${reason})` });
  }
  return refs;
}

function recordName(stage: { readonly project: string; readonly target: string }, at: string): string {
  return `the record of ${stage.project}:${stage.target} from ${at}`;
}

/** Throws `ERR_GC_STOPPED`. */
export function stopAtDamaged(path: string, cause: SluiceError): never {
  throw new SluiceError('ERR_GC_STOPPED', `nothing was deleted: ${path} cannot be read (${cause.message})`, {
    cause,
    hint: 'Run `sluice verify --repair`, or collect with --allow-unpushed.',
  });
}
