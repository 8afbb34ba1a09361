import { SluiceError } from '../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../model/digest.js';
import { compareUtf8 } from '../model/path.js';
import { mayReach, type PathFilter } from '../model/path-filter.js';
import { decodeNode, type Entries, MAX_DEPTH, PART, SPLIT, TREE, type TreeNode } from '../model/tree.js';
import type { ObjectReader } from './reader.js';

/** One directory of a tree, whether it is split or not. */
export interface Directory extends Entries {
  /** Path below the root of the tree; `''` for the root. */
  readonly path: string;
  /** Raw digests of the parts of a split directory, 32 bytes each; empty otherwise. */
  readonly parts: Buffer;
  /** Raw digest of the node that stands for the directory. */
  readonly raw: Buffer;
  readonly totalFiles: number;
  readonly totalBytes: number;
}

/** Gives the bytes of objects, checked: a store, or one with more laid over it. */
export type NodeReader = Pick<ObjectReader, 'read'>;

/** Reads and checks one node. Throws `ERR_OBJECT_MISSING`, `ERR_OBJECT_DAMAGED` or `ERR_TREE_INVALID`. */
export function readNode(reader: NodeReader, raw: Buffer, rawAt = 0): TreeNode {
  return decodeNode(reader.read('tree', raw, rawAt), shortDigest(digestFromRaw(raw, rawAt)));
}

/**
 * Reads one directory; the parts of a split one are put together and checked against its node. With a filter, parts that hold nothing wanted and are not here are
 * left out. Throws like {@link readNode}.
 */
export function readDirectory(reader: ObjectReader, raw: Buffer, rawAt = 0, path = '', filter?: PathFilter): Directory {
  const own = Buffer.from(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES));
  const top = readNode(reader, own);
  const { totalFiles, totalBytes } = top;
  if (top.shape === PART) throw invalid(own, 'a part stands where a directory is expected');
  if (top.shape !== SPLIT) return { ...top, path, parts: Buffer.alloc(0), raw: own, totalFiles, totalBytes };
  const entries = readParts(reader, own, top, (i) => {
    // The first part holds whatever comes before the second.
    const isWanted = mayReach(filter, path, i === 0 ? undefined : top.names[i], top.names[i + 1]);
    return isWanted || reader.catalog.has('tree', top.digests, i * RAW_DIGEST_BYTES);
  });
  return { ...entries, path, parts: Buffer.from(top.digests), raw: own, totalFiles, totalBytes };
}

/** The entries of those parts of a split directory that are wanted, put together and checked against its node. Throws like {@link readNode}. */
export function readParts(
  reader: NodeReader,
  raw: Buffer,
  top: TreeNode,
  isWanted: (part: number) => boolean,
): Entries {
  const parts = top.counts.flatMap((count, i) => {
    if (!isWanted(i)) return [];
    const part = readNode(reader, top.digests, i * RAW_DIGEST_BYTES);
    const fits =
      part.shape === PART &&
      part.names.length === count &&
      part.names[0] === top.names[i] &&
      part.totalFiles === top.files[i] &&
      part.totalBytes === top.sizes[i];
    if (!fits) throw invalid(raw, 'a part is not the one that it names');
    return [part];
  });
  return join(raw, parts);
}

/**
 * Every directory below a tree, parents first, in the order of paths. Each subtree's sums are compared with what its parent says. With a filter, what holds nothing
 * wanted and is not here is left out.
 * Throws like {@link readNode}; `ERR_TREE_INVALID` for trees nested deeper than {@link MAX_DEPTH}.
 */
export function* walkTree(reader: ObjectReader, root: Digest, filter?: PathFilter): Generator<Directory> {
  yield* below(reader, rawOf(root), 0, '', 0, filter);
}

function* below(
  reader: ObjectReader,
  raw: Buffer,
  rawAt: number,
  path: string,
  depth: number,
  filter: PathFilter | undefined,
): Generator<Directory> {
  if (depth > MAX_DEPTH) throw invalid(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES), 'it is nested too deep');
  const directory = readDirectory(reader, raw, rawAt, path, filter);
  yield directory;
  for (let i = 0; i < directory.names.length; i++) {
    if (directory.kinds[i] !== TREE) continue;
    const name = directory.names[i] ?? '';
    const at = path === '' ? name : `${path}/${name}`;
    const isHere = (): boolean => reader.catalog.has('tree', directory.digests, i * RAW_DIGEST_BYTES);
    if (!mayReach(filter, at) && !isHere()) continue;
    const children = below(reader, directory.digests, i * RAW_DIGEST_BYTES, at, depth + 1, filter);
    const first = children.next();
    if (first.done === true) continue;
    if (first.value.totalFiles !== directory.files[i] || first.value.totalBytes !== directory.sizes[i]) {
      throw invalid(directory.raw, `its sums for ${JSON.stringify(name)} are wrong`);
    }
    yield first.value;
    yield* children;
  }
}

function join(raw: Buffer, parts: readonly TreeNode[]): Entries {
  const names = parts.flatMap((part) => [...part.names]);
  const kinds = new Uint8Array(names.length);
  const sizes = new Float64Array(names.length);
  const files = new Float64Array(names.length);
  let at = 0;
  for (const part of parts) {
    const before = names[at - 1];
    if (before !== undefined && compareUtf8(before, part.names[0] ?? '') >= 0)
      throw invalid(raw, 'its parts are not in order');
    kinds.set(part.kinds, at);
    sizes.set(part.sizes, at);
    files.set(part.files, at);
    at += part.names.length;
  }
  return { names, kinds, sizes, files, digests: Buffer.concat(parts.map((part) => part.digests)) };
}

function invalid(raw: Buffer, problem: string): SluiceError {
  return new SluiceError('ERR_TREE_INVALID', `tree ${shortDigest(digestFromRaw(raw))} is damaged: ${problem}`);
}
