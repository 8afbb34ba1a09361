import { listKept } from '../kept.js';
import { listRecords } from '../records.js';
import type { Store } from '../store.js';
import { listWorkspaces } from '../workspaces.js';
import type { Damage } from './damage.js';

/** Records, notes and entries of the registry that cannot be read; `name` is the path of the file. */
export function damagedNotes(store: Store): Damage[] {
  const found: Damage[] = [];
  for (const listed of listRecords(store)) {
    if (listed.kind === 'damaged') found.push({ kind: 'record', name: listed.path, problem: listed.problem });
  }
  for (const listed of listKept(store)) {
    if (listed.kind === 'damaged') found.push({ kind: 'note', name: listed.file, problem: listed.problem });
  }
  for (const listed of listWorkspaces(store)) {
    if (listed.kind === 'damaged') found.push({ kind: 'workspace', name: listed.file, problem: listed.problem });
  }
  return found;
}
