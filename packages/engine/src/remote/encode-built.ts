import { isWorthCompressing } from '../model/compress.js';
import type { Encoder } from '../store/encoder.js';
import type { PackPlace } from './map-builder.js';
import type { BuiltPack } from './pack-builder.js';

/** A place in a pack that is not sent yet: where an object lies is known when it is compressed. */
export type OpenPlace = { -readonly [K in keyof PackPlace]: PackPlace[K] };

/** The bytes of a pack with its objects compressed where that pays. `places` are those of its objects, in the order in which they were added; they are brought up to date. */
export async function encodeBuilt(
  encoder: Encoder,
  { chunks, count, tail }: BuiltPack,
  places: readonly OpenPlace[],
): Promise<{ readonly chunks: readonly Buffer[]; readonly tail: Buffer }> {
  // A pack of nothing but tiny objects stays as it is, and nobody has to look at each of them to see that.
  if (!places.some(({ stored }) => isWorthCompressing(stored))) return { chunks, tail };
  const { chunks: encoded, encoding } = await encoder.encodePack({ chunks, count });
  const buffers = encoded.map(bufferOf);
  if (encoding === undefined) return { chunks: buffers, tail };
  for (const [i, place] of places.entries()) {
    place.offset = encoding.offsets[i] ?? 0;
    place.stored = encoding.stored[i] ?? 0;
    place.codec = encoding.codecs[i] ?? 0;
  }
  return { chunks: buffers, tail: bufferOf(encoding.tail) };
}

/** What comes from another thread has lost that it was a `Buffer`. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
