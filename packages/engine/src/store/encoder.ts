import type { CutBlob } from '../model/cutter.js';
import { type EncodedPack, encodePack, type RawPack } from '../model/encode-pack.js';
import { type CutRequest, cutBlob } from './cut-blob.js';
import type { Store } from './store.js';

/** Work on the bytes of a store for a remote that other threads may do. */
export interface Encoder {
  /** Compresses the objects of a pack where that pays. The chunks are not to be used any more; those of the answer take their place. */
  encodePack(pack: RawPack): Promise<EncodedPack>;
  /** Where a blob of the store is cut. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
  cutBlob(request: CutRequest): Promise<CutBlob>;
}

/** Does everything on this thread. */
export function inlineEncoder(store: Store): Encoder {
  return {
    encodePack: async (pack) => encodePack(pack),
    cutBlob: async (request) => cutBlob(store.reader, request),
  };
}
