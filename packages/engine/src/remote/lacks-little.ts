import { SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { LOCATION_BYTES } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import { decodeNode, TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import type { HaveIndex } from './have-index.js';

/** To send so many bytes takes no longer than to ask whether they have to be sent. */
const LITTLE_BYTES = 64 * 1024;

/**
 * Whether next to nothing of a root would have to be sent, because the rest is known to be on the remote: then it is sent without the question whether somebody else
 * has sent it already. No for a file, for a root whose map is known, and for one of which nothing is: there the answer is likely to save something. `reader` reads trees.
 */
export function lacksLittle(root: OutRoot, have: HaveIndex, reader: ObjectReader): boolean {
  const raw = rawOf(root.digest);
  if (have.knowsMap(raw)) return false;
  if (root.kind === 'blob') return false;
  let left = LITTLE_BYTES;
  let known = false;
  const isLittle = (node: Buffer): boolean => {
    if (have.node(node, 0, raw) !== undefined) {
      known = true;
      return true;
    }
    const { kinds, sizes, digests } = decodeNode(reader.read('tree', node), root.digest);
    // Where its blobs lie is written anew; of a long node only what is new in it is sent.
    left -= kinds.length * LOCATION_BYTES;
    for (let i = 0; i < kinds.length; i++) {
      const at = i * RAW_DIGEST_BYTES;
      if (kinds[i] === TREE) {
        if (!isLittle(digests.subarray(at, at + RAW_DIGEST_BYTES))) return false;
      } else if (have.hasBlob(digests, at)) known = true;
      else left -= sizes[i] ?? 0;
      if (left < 0) return false;
    }
    return true;
  };
  try {
    return isLittle(raw) && known;
  } catch (error) {
    // What cannot be read here may be there: the question is worth asking.
    if (error instanceof SluiceError && error.exitCode === 4) return false;
    throw error;
  }
}
