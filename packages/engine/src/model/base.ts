import { type ChunkRow, readChunks } from './chunk.js';
import { CHUNK_ROW_BYTES, failMap, type MapFront } from './map.js';
import { CODEC_NONE } from './pack.js';

/** Where the base of a patched node lies. `row`: the node's. Throws `ERR_MAP_INVALID`. */
export function readBase(front: MapFront, row: number, where: string): ChunkRow {
  const at = front.nodes.patchedBefore(row) * CHUNK_ROW_BYTES;
  const [base] = readChunks(front.bases.subarray(at, at + CHUNK_ROW_BYTES), front, where);
  // A base stands for itself: who reads a node reads two objects at most.
  if (base === undefined || base.codec !== CODEC_NONE) return failMap(where, 'a base has unknown values');
  return base;
}
