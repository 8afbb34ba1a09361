import { SluiceError } from '../errors.js';
import { type Digest, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { compareUtf8 } from '../model/path.js';
import { decodeNode, SPLIT, TREE, type TreeNode } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';

/** More versions are not looked at to find the one that came before. */
const MOST_VERSIONS = 16;

/** Of roots that may be versions of the same out, latest first, the one that is most like a new one: its tree names most of the same things. `undefined` if none is here that names any. */
export function findTwin(reader: ObjectReader, root: Digest, versions: Iterable<Buffer>): Buffer | undefined {
  const node = readHere(reader, rawOf(root));
  if (node === undefined) return undefined;
  let best: { readonly raw: Buffer; readonly likeness: number } | undefined;
  let looked = 0;
  for (const raw of versions) {
    const version = raw.equals(rawOf(root)) ? undefined : readHere(reader, raw);
    if (version === undefined) continue;
    const likeness = likenessOf(node, version);
    if (likeness > (best?.likeness ?? 0)) best = { raw, likeness };
    if (++looked === MOST_VERSIONS) break;
  }
  return best?.raw;
}

/** The nodes of an earlier version that stand where those below a node stand. `twin`: the one that stands where the node itself does. */
export function twinsBelow(
  reader: ObjectReader,
  twin: Buffer | undefined,
  { shape, names }: TreeNode,
): (entry: number) => Buffer | undefined {
  let read = false;
  let before: TreeNode | undefined;
  return (entry) => {
    if (twin === undefined) return undefined;
    if (!read) before = readHere(reader, twin);
    read = true;
    if (before === undefined) return undefined;
    // Parts of what was one node before are most like all of it.
    if (shape === SPLIT && before.shape !== SPLIT) return twin;
    if (shape !== SPLIT && before.shape === SPLIT) return undefined;
    const name = names[entry] ?? '';
    const found = lastUpTo(before.names, name);
    if (found < 0 || (shape !== SPLIT && before.names[found] !== name)) return undefined;
    return before.kinds[found] === TREE ? rawAt(before, found) : undefined;
  };
}

/** Names that both have, and more for those that lead to the same. */
function likenessOf(node: TreeNode, version: TreeNode): number {
  let likeness = 0;
  for (const [entry, name] of node.names.entries()) {
    const found = lastUpTo(version.names, name);
    if (found < 0 || version.names[found] !== name) continue;
    likeness += rawAt(version, found).equals(rawAt(node, entry)) ? 2 : 1;
  }
  return likeness;
}

/** The last name that is not behind another one; -1 if all are. */
function lastUpTo(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(names[middle] ?? '', name) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function rawAt({ digests }: TreeNode, entry: number): Buffer {
  return Buffer.from(digests.subarray(entry * RAW_DIGEST_BYTES, (entry + 1) * RAW_DIGEST_BYTES));
}

/** A node of the store; one that is not here, or damaged, helps nobody. */
function readHere(reader: ObjectReader, raw: Buffer): TreeNode | undefined {
  if (!reader.catalog.has('tree', raw)) return undefined;
  try {
    return decodeNode(reader.read('tree', raw), 'before');
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return undefined;
  }
}
