import { brotliDecompressSync } from 'node:zlib';
import { CODEC_BROTLI, CODEC_NONE, CODEC_ZSTD } from './pack.js';
import { ZSTD_WINDOW_LOG_MAX, zstdOfNode } from './zstd.js';

/**
 * The object of stored bytes, whose size the tree or the map says: `undefined` if they do not give just as many. Never takes more memory than a few times
 * that size, whatever the bytes claim. The caller compares the digest.
 */
export type Decode = (codec: number, stored: Buffer, size: number) => Buffer | undefined;

/** No object in a pack of a remote is larger, so no frame needs a larger window. */
const LARGEST_WINDOW_LOG = 23;

/** What reads objects of these codecs. A decoder that this Node lacks is loaded only where it is needed. */
export async function openDecode(codecs: Iterable<number>): Promise<Decode> {
  let zstd: Decompress = zstdFromNode;
  if (zstdOfNode() === undefined) {
    for (const codec of codecs) {
      if (codec !== CODEC_ZSTD) continue;
      zstd = await openZstdWasm();
      break;
    }
  }
  return decodeWith(zstd);
}

type Decompress = (stored: Buffer, size: number) => Buffer | undefined;

/** What reads Zstandard in a certain way, and the rest as everywhere. @internal */
export function decodeWith(zstd: Decompress): Decode {
  return (codec, stored, size) => {
    if (codec === CODEC_NONE) return stored.length === size ? stored : undefined;
    const object = attempt(codec === CODEC_ZSTD ? zstd : codec === CODEC_BROTLI ? brotli : none, stored, size);
    return object?.length === size ? object : undefined;
  };
}

/** The decoder for a Node without Zstandard: the one of its authors, in WebAssembly. @internal */
export async function openZstdWasm(): Promise<Decompress> {
  const { ZSTDDecoder } = await import('zstddec');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (stored, size) => {
    // An object is never empty where it is compressed, and of size 0 the decoder would believe what the frame claims.
    if (size === 0) return undefined;
    const { buffer, byteOffset, byteLength } = decoder.decode(stored, size);
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}

function zstdFromNode(stored: Buffer, size: number): Buffer | undefined {
  return zstdOfNode()?.decompress(stored, { ...bounds(size), params: { [ZSTD_WINDOW_LOG_MAX]: LARGEST_WINDOW_LOG } });
}

function brotli(stored: Buffer, size: number): Buffer {
  return brotliDecompressSync(stored, bounds(size));
}

function none(): undefined {
  return undefined;
}

function bounds(size: number): { chunkSize: number; maxOutputLength: number } {
  return { chunkSize: Math.max(64, size), maxOutputLength: Math.max(1, size) };
}

function attempt(decompress: Decompress, stored: Buffer, size: number): Buffer | undefined {
  try {
    return decompress(stored, size);
  } catch {
    // Whatever a decoder says of bytes that are none of its own: they are not the object.
    return undefined;
  }
}
