import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { CODEC_PATCH, INDEX_ENTRY_BYTES, PackIndex } from '../model/pack.js';
import { HAVE_PATCHES, type HaveRecord } from './have-file.js';

/** A node that lies on the remote as what is new in it, and the node that it adds to; 32 raw bytes each. */
export interface NodePatch {
  readonly raw: Buffer;
  readonly base: Buffer;
}

/** The record of what nodes were made of. It belongs to no area: it claims nothing. */
export function patchesRecord(patches: readonly NodePatch[]): HaveRecord {
  return {
    kind: HAVE_PATCHES,
    area: 'trusted',
    payload: Buffer.concat(patches.flatMap(({ raw, base }) => [raw, base])),
  };
}

/** Reads such a record; of one that is none, nothing. */
export function patchesOf(payload: Buffer): NodePatch[] {
  if (payload.length % (2 * RAW_DIGEST_BYTES) !== 0) return [];
  return Array.from({ length: payload.length / (2 * RAW_DIGEST_BYTES) }, (_, i) => {
    const [at, baseAt, end] = [2 * i, 2 * i + 1, 2 * i + 2].map((n) => n * RAW_DIGEST_BYTES);
    return { raw: payload.subarray(at, baseAt), base: payload.subarray(baseAt, end) };
  });
}

/** Those entries of a pack's index that are objects as they are: nothing can refer to what is new in a node without its base. */
export function wholeRows(rows: Buffer): Buffer {
  const index = new PackIndex(rows);
  const isPatch = (row: number): boolean => index.entry(row).codec === CODEC_PATCH;
  const numbers = Array.from({ length: index.count }, (_, row) => row);
  if (!numbers.some(isPatch)) return rows;
  const whole = numbers.filter((row) => !isPatch(row));
  return Buffer.concat(whole.map((row) => rows.subarray(row * INDEX_ENTRY_BYTES, (row + 1) * INDEX_ENTRY_BYTES)));
}
