import { type ErrorCode, SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { mayReach, type PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { MAX_DEPTH, SPLIT, TREE } from '../model/tree.js';
import type { ObjectReader } from './reader.js';
import { readNode } from './trees.js';

const INCOMPLETE: ReadonlySet<ErrorCode> = new Set(['ERR_OBJECT_MISSING', 'ERR_OBJECT_DAMAGED', 'ERR_TREE_INVALID']);

/**
 * A check whether the store has all tree nodes of a root that a filter needs. Of several roots that share subtrees each subtree is looked at once, so the versions of an
 * out cost what distinguishes them.
 */
export function createNodeCheck(reader: ObjectReader): (root: OutRoot, filter?: PathFilter) => boolean {
  const complete = new Set<string>();
  const check = (raw: Buffer, path: string, filter: PathFilter | undefined, depth: number): boolean => {
    const name = raw.toString('hex');
    if (complete.has(name)) return true;
    if (depth > MAX_DEPTH * 2 || !reader.catalog.has('tree', raw)) return false;
    const { shape, names, kinds, digests } = readNode(reader, raw);
    for (let i = 0; i < names.length; i++) {
      if (kinds[i] !== TREE) continue;
      const isPart = shape === SPLIT;
      const below = isPart ? path : path === '' ? (names[i] ?? '') : `${path}/${names[i]}`;
      const range = isPart ? [i === 0 ? undefined : names[i], names[i + 1]] : [];
      if (!mayReach(filter, below, ...range)) continue;
      const child = digests.subarray(i * RAW_DIGEST_BYTES, (i + 1) * RAW_DIGEST_BYTES);
      if (!check(child, below, filter, depth + 1)) return false;
    }
    // What a filter left out was not looked at.
    if (filter?.within === undefined) complete.add(name);
    return true;
  };
  return (root, filter) => {
    if (root.kind === 'blob') return true;
    try {
      return check(rawOf(root.digest), '', filter, 0);
    } catch (error) {
      if (error instanceof SluiceError && INCOMPLETE.has(error.code)) return false;
      throw error;
    }
  };
}
