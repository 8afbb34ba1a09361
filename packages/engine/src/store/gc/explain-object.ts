import { type Digest, RAW_DIGEST_BYTES, rawOf } from '../../model/digest.js';
import { DigestTable } from '../../model/digest-table.js';
import { SPLIT, TREE } from '../../model/tree.js';
import { readLeases } from '../lease.js';
import type { Store } from '../store.js';
import { readNode } from '../trees.js';

import type { RootRef } from './roots.js';

/** Why an object is in the store, or not. */
export interface ObjectExplanation {
  readonly digest: Digest;
  readonly kind: 'blob' | 'tree' | 'absent';
  /** Copies, by where they lie. */
  readonly copies: readonly ('loose' | 'pack')[];
  /** The roots that reach it, with the path inside each; `''` is the root itself. */
  readonly keptBy: readonly { readonly ref: RootRef; readonly path: string }[];
  /** A running writer relies on it. */
  readonly leased: boolean;
}

/** Says which of the given roots keep an object. Throws like `readNode` if a tree is damaged. */
export function explainObject(store: Store, refs: readonly RootRef[], digest: Digest): ObjectExplanation {
  const raw = rawOf(digest);
  const { catalog } = store.reader;
  catalog.refresh();
  const blobs = [...catalog.places('blob', raw)];
  const trees = [...catalog.places('tree', raw)];
  const without = new DigestTable();
  const keptBy = refs.flatMap((ref) => {
    const path = pathTo(store, ref, raw, without);
    return path === undefined ? [] : [{ ref, path }];
  });
  return {
    digest,
    kind: blobs.length > 0 ? 'blob' : trees.length > 0 ? 'tree' : 'absent',
    copies: [...blobs, ...trees].map(({ home }) => home),
    keptBy,
    leased: readLeases(store.files, store.layout).some((lease) => holds(lease, raw)),
  };
}

/** The first path to an object below a root. Trees that were searched in vain are remembered in `without` for the next root. */
function pathTo(store: Store, { root }: RootRef, wanted: Buffer, without: DigestTable): string | undefined {
  const raw = rawOf(root.digest);
  if (raw.equals(wanted)) return '';
  return root.kind === 'tree' ? below(raw, 0) : undefined;

  function below(tree: Buffer, at: number): string | undefined {
    if (without.has(tree, at)) return undefined;
    if (!store.reader.catalog.has('tree', tree, at)) return undefined;
    const node = readNode(store.reader, tree, at);
    for (let i = 0; i < node.names.length; i++) {
      const childAt = i * RAW_DIGEST_BYTES;
      // The first name of a part is not a step of the path.
      const name = node.shape === SPLIT ? '' : (node.names[i] ?? '');
      if (node.digests.compare(wanted, 0, RAW_DIGEST_BYTES, childAt, childAt + RAW_DIGEST_BYTES) === 0) return name;
      if (node.shape !== SPLIT && node.kinds[i] !== TREE) continue;
      const rest = below(node.digests, childAt);
      if (rest !== undefined) return [name, rest].filter((step) => step !== '').join('/');
    }
    without.set(tree, at);
    return undefined;
  }
}

function holds(lease: Buffer, raw: Buffer): boolean {
  for (let at = 0; at < lease.length; at += RAW_DIGEST_BYTES) {
    if (lease.compare(raw, 0, RAW_DIGEST_BYTES, at, at + RAW_DIGEST_BYTES) === 0) return true;
  }
  return false;
}
