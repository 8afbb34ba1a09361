import { join } from 'node:path';
import { errnoOf } from '../../errors.js';
import type { Files } from '../files.js';
import { listNames } from '../lease.js';
import { removeTemporaries } from '../small-file.js';
import type { Store } from '../store.js';
import { abandonedTransfers, STALE_TRANSFER_MS } from '../transfers.js';
import { claimOf, DEAD, type Marks } from './mark.js';

/**
 * Removes what a collection leaves without use: empty directories of objects and records, temporary files of killed writers, and what
 * was set aside as damaged of objects that are sound again, that nothing names any more, or whose pack is gone, and transfers that nobody goes on with.
 */
export function tidy(store: Store, marks: Marks): void {
  const { files, layout } = store;
  for (const dir of [layout.records, layout.objects]) {
    for (const prefix of listNames(files, dir)) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
      if (dir === layout.records) removeTemporaries(store, join(dir, prefix));
      removeIfEmpty(files, join(dir, prefix));
    }
  }
  removeTemporaries(store, layout.kept);
  removeTemporaries(store, layout.workspaces);
  tidyDamaged(store, marks);
  tidyTransfers(store);
}

/** A blob that is here needs its beginning no longer. Notes on an upload stay for a while: the next push to that remote deletes its parts by them. */
function tidyTransfers(store: Store): void {
  const { files, reader } = store;
  for (const { path, kind, id, ageMs } of abandonedTransfers(store)) {
    const isStale = ageMs >= (kind === 'up' ? 2 : 1) * STALE_TRANSFER_MS;
    if (isStale || (kind === 'down' && reader.catalog.has('blob', Buffer.from(id, 'hex'))))
      files.rmSync(path, { force: true });
  }
}

function removeIfEmpty(files: Files, dir: string): void {
  if (listNames(files, dir).length > 0) return;
  try {
    files.rmdirSync(dir);
  } catch (error) {
    // A writer has just put something into it, or somebody else was faster.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error;
  }
}

function tidyDamaged(store: Store, marks: Marks): void {
  const { files, layout, reader } = store;
  const names = listNames(files, layout.damaged);
  if (names.length === 0) return;
  const packs = new Set(listNames(files, layout.packs));
  for (const name of names) {
    const [, hex = '', kind] = /^([0-9a-f]{64})[.](blob|tree|[0-9a-f]{32}[.]pack)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const raw = Buffer.from(hex, 'hex');
    const isWanted =
      kind === 'blob' || kind === 'tree'
        ? claimOf(marks, kind, raw) !== DEAD && !reader.catalog.has(kind, raw)
        : packs.has(kind);
    if (!isWanted) files.rmSync(join(layout.damaged, name), { force: true });
  }
}
