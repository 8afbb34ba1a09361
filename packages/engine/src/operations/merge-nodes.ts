import { SluiceError } from '../errors.js';
import { type Digest, rawOf } from '../model/digest.js';
import { rootOfEntry, type Sides, type TreeEntry } from '../model/merge/merge-entry.js';
import type { ReadNodes, WantedNode } from '../model/merge/merge-trees.js';
import { pathFilter } from '../model/path-filter.js';
import type { Want } from '../stage/context.js';
import { readNode } from '../store/trees.js';
import type { OperationContext } from './context.js';

/** A tree node is needed that neither the store nor a remote can give now. */
export class NodeMissing extends Error {
  readonly digest: Digest;

  constructor(digest: Digest, cause: SluiceError) {
    super(cause.message, { cause });
    this.digest = digest;
  }
}

/** Below so many files all nodes of a root come at once: that is cheaper than to ask again for each level. */
const FEW_FILES = 20_000;

/**
 * Reads tree nodes from the store, and from the out's remote those that the store lacks: of a large root only the nodes that are asked for. No blob is fetched. Throws
 * {@link NodeMissing} if a node cannot be had, for whatever reason.
 */
export function nodeReader(context: OperationContext, roots: Sides<TreeEntry>, remote: string | undefined): ReadNodes {
  const { reader } = context.workspace.store;
  const isHere = ({ digest }: WantedNode): boolean => reader.catalog.has('tree', rawOf(digest));
  return async (wanted) => {
    const absent = wanted.filter((node) => !isHere(node));
    const [first] = absent;
    if (first !== undefined) {
      reader.catalog.refresh();
      const wants = wantsOf(
        roots,
        absent.filter((node) => !isHere(node)),
        remote,
      );
      if (wants.length > 0) await giving(first.digest, () => context.remotes.fetch(wants, 'trees'));
    }
    return await Promise.all(wanted.map(({ digest }) => giving(digest, () => readNode(reader, rawOf(digest)))));
  };
}

function wantsOf(roots: Sides<TreeEntry>, absent: readonly WantedNode[], remote: string | undefined): Want[] {
  return (['base', 'ours', 'theirs'] as const).flatMap((side) => {
    const root = roots[side];
    const mine = absent.filter((node) => node.side === side);
    if (root === undefined || mine.length === 0) return [];
    const want: Want = { root: rootOfEntry(root), remote };
    if (root.files < FEW_FILES) return [want];
    // A name inside a directory asks for its node, or the part of it where that name is, and for no directory below it.
    const within = mine.map(({ path, part }) => [path, part ?? '\0'].filter((name) => name !== '').join('/'));
    return [{ ...want, filter: pathFilter(() => false, within) }];
  });
}

async function giving<T>(digest: Digest, give: () => T | Promise<T>): Promise<T> {
  try {
    return await give();
  } catch (error) {
    // Whatever keeps a tree away, its merge can be tried again; an abort and a bug are no such thing.
    const isAway = error instanceof SluiceError && (error.exitCode === 3 || error.exitCode === 4);
    throw isAway ? new NodeMissing(digest, error) : error;
  }
}
