import { type EncodedPack, encodePack, type RawPack } from '../model/encode-pack.js';

/** Work on bytes for a remote that other threads may do. */
export interface Encoder {
  /** Compresses the objects of a pack where that pays. The chunks are not to be used any more; those of the answer take their place. */
  encodePack(pack: RawPack): Promise<EncodedPack>;
}

/** Does everything on this thread. */
export const inlineEncoder: Encoder = {
  encodePack: async (pack) => encodePack(pack),
};
