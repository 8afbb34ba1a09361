import { type ErrorCode, SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import type { ObjectReader } from './reader.js';
import { walkTree } from './trees.js';

/** How much of a root a store holds. Of a tree whose top node is absent nothing can be said, so it counts as absent. */
export type Completeness = 'complete' | 'partial' | 'absent';

/** What a walk over a tree throws that is not all there; a damaged node is aside by then. */
const INCOMPLETE: ReadonlySet<ErrorCode> = new Set(['ERR_OBJECT_MISSING', 'ERR_OBJECT_DAMAGED', 'ERR_TREE_INVALID']);

/** Looks up every object that a root reaches, or those of the wanted files. Reads nodes only; what lies below a damaged one counts as missing. */
export function completeness(reader: ObjectReader, root: OutRoot, filter?: PathFilter): Completeness {
  const raw = rawOf(root.digest);
  if (root.kind === 'blob') return reader.catalog.has('blob', raw) ? 'complete' : 'absent';
  if (!reader.catalog.has('tree', raw)) return 'absent';
  try {
    for (const { path, names, kinds, digests } of walkTree(reader, root.digest, filter)) {
      for (let i = 0; i < names.length; i++) {
        if (kinds[i] === TREE || filter?.(path === '' ? (names[i] ?? '') : `${path}/${names[i]}`) === false) continue;
        if (!reader.catalog.has('blob', digests, i * RAW_DIGEST_BYTES)) return 'partial';
      }
    }
  } catch (error) {
    if (error instanceof SluiceError && INCOMPLETE.has(error.code)) return 'partial';
    throw error;
  }
  return 'complete';
}
