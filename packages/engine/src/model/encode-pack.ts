import { compress } from './compress.js';
import {
  CODEC_NONE,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PackIndexBuilder,
  readObjectHeader,
  writeObjectHeader,
} from './pack.js';

/** A pack as it was filled, without its index: nothing in it is compressed. Plain values, so it can cross threads. */
export interface RawPack {
  /** The header of the pack and the objects; none lies in two of them. Each fills its memory alone. */
  readonly chunks: readonly Uint8Array[];
  readonly count: number;
}

/** The same pack with the objects compressed where that pays. Plain values, so it can cross threads. */
export interface EncodedPack {
  /** In the memory of those that came. */
  readonly chunks: readonly Uint8Array[];
  /** What changed; absent if nothing is compressed. */
  readonly encoding?: PackEncoding;
}

/** Where objects lie now, in the order in which they were added. */
export interface PackEncoding {
  readonly offsets: Uint32Array;
  readonly stored: Uint32Array;
  readonly codecs: Uint8Array;
  /** The index and the trailer. */
  readonly tail: Uint8Array;
}

/** Compresses the objects of a pack where that pays. No object gets longer, so what comes of a chunk takes its place in the same memory. */
export function encodePack({ chunks, count }: RawPack): EncodedPack {
  const offsets = new Uint32Array(count);
  const stored = new Uint32Array(count);
  const codecs = new Uint8Array(count);
  const index = new PackIndexBuilder();
  const encoded: Buffer[] = [];
  let object = 0;
  let before = 0;
  for (const [i, { buffer, byteOffset, byteLength }] of chunks.entries()) {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    let fill = i === 0 ? PACK_HEADER_BYTES : 0;
    for (let at = fill; at < chunk.length; ) {
      const header = readObjectHeader(chunk, at);
      const next = at + OBJECT_HEADER_BYTES + header.stored;
      const { codec, length } = moveObject(chunk, at, next, fill, header);
      index.add(chunk, fill + OBJECT_DIGEST_OFFSET, { ...header, offset: before + fill, stored: length, codec });
      offsets[object] = before + fill;
      stored[object] = length;
      codecs[object] = codec;
      object++;
      fill += OBJECT_HEADER_BYTES + length;
      at = next;
    }
    before += fill;
    encoded.push(chunk.subarray(0, fill));
  }
  if (codecs.every((codec) => codec === CODEC_NONE)) return { chunks };
  return { chunks: encoded, encoding: { offsets, stored, codecs, tail: index.finish() } };
}

/** Compresses the object from `at` to `next` and puts it at `to`, which is not behind `at`. */
function moveObject(
  chunk: Buffer,
  at: number,
  next: number,
  to: number,
  header: ReturnType<typeof readObjectHeader>,
): { codec: number; length: number } {
  const from = at + OBJECT_HEADER_BYTES;
  const compressed = compress(chunk.subarray(from, next));
  if (compressed === undefined) {
    if (to < at) chunk.copyWithin(to, at, next);
    return { codec: CODEC_NONE, length: next - from };
  }
  const { codec, bytes } = compressed;
  if (to < at) chunk.copyWithin(to, at, from);
  writeObjectHeader(chunk, to, { ...header, stored: bytes.length, codec });
  bytes.copy(chunk, to + OBJECT_HEADER_BYTES);
  return { codec, length: bytes.length };
}
