import { isChunkLength } from '../model/chunk.js';
import { type CutBlob, chunkRaw } from '../model/cutter.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { HAVE_CUTS, type HaveRecord } from './have-file.js';

/** A blob on the remote that lies there in chunks. */
export interface HaveCuts {
  readonly raw: Buffer;
  readonly size: number;
  readonly cut: CutBlob;
}

const PREFIX_BYTES = RAW_DIGEST_BYTES + 8;
const ROW_BYTES = RAW_DIGEST_BYTES + 4;

/** The record of where a blob was cut. It belongs to no area: it claims nothing. */
export function cutsRecord(raw: Buffer, size: number, cut: CutBlob): HaveRecord {
  const payload = Buffer.alloc(PREFIX_BYTES + cut.lengths.length * ROW_BYTES);
  raw.copy(payload, 0, 0, RAW_DIGEST_BYTES);
  payload.writeBigUInt64LE(BigInt(size), RAW_DIGEST_BYTES);
  cut.lengths.forEach((length, i) => {
    const at = PREFIX_BYTES + i * ROW_BYTES;
    chunkRaw(cut, i).copy(payload, at);
    payload.writeUInt32LE(length, at + RAW_DIGEST_BYTES);
  });
  return { kind: HAVE_CUTS, area: 'trusted', payload };
}

/** Reads such a record; `undefined` if it is none. */
export function cutsOf(payload: Buffer): HaveCuts | undefined {
  const count = (payload.length - PREFIX_BYTES) / ROW_BYTES;
  if (!Number.isInteger(count) || count < 1) return undefined;
  const size = Number(payload.readBigUInt64LE(RAW_DIGEST_BYTES));
  const lengths = new Uint32Array(count);
  const digests = Buffer.alloc(count * RAW_DIGEST_BYTES);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const at = PREFIX_BYTES + i * ROW_BYTES;
    payload.copy(digests, i * RAW_DIGEST_BYTES, at, at + RAW_DIGEST_BYTES);
    const length = payload.readUInt32LE(at + RAW_DIGEST_BYTES);
    if (!isChunkLength(length)) return undefined;
    lengths[i] = length;
    sum += length;
  }
  return sum === size ? { raw: payload.subarray(0, RAW_DIGEST_BYTES), size, cut: { lengths, digests } } : undefined;
}
