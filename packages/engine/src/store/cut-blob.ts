import { type CutBlob, type Cuts, Cutter } from '../model/cutter.js';
import type { ObjectReader } from './reader.js';

/** A blob of a store that is to be cut. Plain values, so it can cross threads. */
export interface CutRequest {
  /** 32 raw bytes. */
  readonly raw: Uint8Array;
  readonly size: number;
  readonly cuts: Cuts;
}

/** Cuts a blob and checks its bytes on the way. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
export function cutBlob(reader: ObjectReader, { raw, cuts }: CutRequest): CutBlob {
  let cutter = new Cutter(cuts);
  reader.stream(
    Buffer.from(raw),
    0,
    (bytes) => cutter.update(bytes),
    () => {
      cutter = new Cutter(cuts);
    },
  );
  return cutter.finish();
}
