import { rawOf } from '../../model/digest.js';
import type { ObjectReader } from '../reader.js';
import { claimOf, DEAD, LIVE, type Marks, markRoot, type NodeSource, newMarks } from './mark.js';
import type { RootRef } from './roots.js';

/**
 * Marks droppable roots in their order, until the next one would take the blobs of the store over `maxBytes`; `usedBytes` is what the other
 * roots keep.
 */
export function markWhatFits(
  marks: Marks,
  nodes: NodeSource,
  reader: ObjectReader,
  refs: readonly RootRef[],
  usedBytes: number,
  maxBytes: number,
): void {
  let used = usedBytes;
  for (const { root } of refs) {
    used += unmarkedBytes(marks, nodes, reader, root);
    if (used > maxBytes) return;
    markRoot(marks, nodes, root, LIVE);
  }
}

/** Bytes of the blobs of a root that lie here and that nothing claims yet. */
function unmarkedBytes(marks: Marks, nodes: NodeSource, reader: ObjectReader, root: RootRef['root']): number {
  const seen = newMarks();
  const blob = (raw: Buffer, rawAt: number): number =>
    claimOf(marks, 'blob', raw, rawAt) === DEAD && seen.blob.set(raw, rawAt)
      ? (reader.size('blob', raw, rawAt) ?? 0)
      : 0;
  const tree = (raw: Buffer, rawAt: number): number => {
    if (claimOf(marks, 'tree', raw, rawAt) !== DEAD || !seen.tree.set(raw, rawAt)) return 0;
    const node = nodes(raw, rawAt);
    let bytes = 0;
    node?.digestAt.forEach((at, i) => {
      bytes += (node.isNode[i] === 1 ? tree : blob)(node.bytes, at);
    });
    return bytes;
  };
  return (root.kind === 'tree' ? tree : blob)(rawOf(root.digest), 0);
}
