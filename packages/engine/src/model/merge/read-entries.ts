import type { TreeNode } from '../tree.js';
import { entriesOfNode, expectPart, invalid, isSplit, partsOfNode } from './listing.js';
import type { TreeEntry } from './merge-entry.js';
import type { ReadNodes, WantedNode } from './merge-trees.js';

/** The place of a directory, as nodes of it are asked for. */
export type DirectoryPlace = Pick<WantedNode, 'side' | 'path'>;

/** The entries of a directory whose node was read, of a split one those of all its parts but `without`. Throws what `read` throws, and `ERR_TREE_INVALID`. */
export async function readEntries(
  read: ReadNodes,
  place: DirectoryPlace,
  node: TreeNode,
  without: ReadonlySet<string> = new Set(),
): Promise<Map<string, TreeEntry>> {
  if (!isSplit(node)) return entriesOfNode(node);
  const parts = partsOfNode(node).filter(({ digest }) => !without.has(digest));
  const nodes = await read(parts.map(({ digest, first }) => ({ ...place, digest, part: first })));
  return new Map(
    parts.flatMap((part, i) => {
      const own = nodes[i];
      if (own === undefined) throw invalid(part.digest, 'it was not given');
      expectPart(own, part);
      return [...entriesOfNode(own)];
    }),
  );
}
