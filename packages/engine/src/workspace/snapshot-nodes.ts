import { buildTree } from './build-tree.js';
import type { Snapshot } from './snapshot.js';

/** The tree nodes of a snapshot whose digests are all known, by the hex of their digests: what a commit would write. */
export function snapshotNodes(snapshot: Snapshot): Map<string, Buffer> {
  const nodes = new Map<string, Buffer>();
  // Known nodes are encoded again: that the index knows them does not mean that the store has them.
  const directories = snapshot.directories.map((directory) => ({ ...directory, node: undefined }));
  buildTree({ shape: snapshot.shape, directories }, (_, encoded) => {
    if (encoded === undefined) return;
    for (const { raw, bytes } of [encoded.top, ...encoded.parts]) nodes.set(raw.toString('hex'), bytes);
  });
  return nodes;
}
