import { brotliCompressSync, constants } from 'node:zlib';
import { CODEC_BROTLI, CODEC_ZSTD } from './pack.js';
import { ZSTD_COMPRESSION_LEVEL, type Zstd, zstdOfNode } from './zstd.js';

/** Stored bytes and their codec. */
export interface Compressed {
  readonly codec: number;
  readonly bytes: Buffer;
}

/** Of smaller objects a compressor's start costs more than a line gains. */
const SMALLEST_COMPRESSED_BYTES = 1024;
/** A compressed form is used if it saves this share: less is not worth the time that every reader needs. */
const LEAST_SAVED = 1 / 8;

/** Larger objects are first tried in a part of them. */
const TRIED_BYTES = 64 * 1024;

const LOOKS = 4;
const LOOK_BYTES = 512;
/** How much more often than in random bytes two bytes of a look are equal, in bytes that may be compressed. */
const LEAST_COINCIDENCE = 1.25;

const FASTEST = 1;
const LARGEST_WINDOW_BITS = 22;
const SMALLEST_WINDOW_BITS = 10;

/**
 * The bytes compressed, if that pays: `undefined` for a small object, for one whose sample looks random, and where too little is saved. Which codec is used
 * depends on the version of Node; every version reads all.
 */
export function compress(bytes: Buffer): Compressed | undefined {
  return compressWith(zstdOfNode(), bytes);
}

/** Whether {@link compress} looks at objects of this size at all. */
export function isWorthCompressing(sizeBytes: number): boolean {
  return sizeBytes >= SMALLEST_COMPRESSED_BYTES;
}

/** What {@link compress} does on a Node with this Zstandard, or without it. @internal */
export function compressWith(zstd: Zstd | undefined, bytes: Buffer): Compressed | undefined {
  if (!mayCompress(bytes)) return undefined;
  if (bytes.length > 2 * TRIED_BYTES) {
    const from = Math.floor((bytes.length - TRIED_BYTES) / 2);
    if (shrink(bytes.subarray(from, from + TRIED_BYTES), zstd) === undefined) return undefined;
  }
  return shrink(bytes, zstd);
}

/** Whether samples of a large blob say that compressing it pays. */
export function samplesCompress(samples: readonly Buffer[]): boolean {
  let full = 0;
  let stored = 0;
  for (const sample of samples) {
    full += sample.length;
    stored += (mayCompress(sample) ? shrink(sample, zstdOfNode()) : undefined)?.bytes.length ?? sample.length;
  }
  return full > 0 && stored <= full * (1 - LEAST_SAVED);
}

function shrink(bytes: Buffer, zstd: Zstd | undefined): Compressed | undefined {
  // One buffer that holds any result worth keeping: growing it in steps takes longer than compressing does.
  const chunkSize = Math.max(64, bytes.length);
  const compressed =
    zstd === undefined
      ? brotliCompressSync(bytes, { chunkSize, params: brotliParams(bytes.length) })
      : zstd.compress(bytes, { chunkSize, params: { [ZSTD_COMPRESSION_LEVEL]: FASTEST } });
  if (compressed.length > bytes.length * (1 - LEAST_SAVED)) return undefined;
  return { codec: zstd === undefined ? CODEC_BROTLI : CODEC_ZSTD, bytes: compressed };
}

function brotliParams(bytes: number): Record<number, number> {
  const bits = Math.min(LARGEST_WINDOW_BITS, Math.max(SMALLEST_WINDOW_BITS, 32 - Math.clz32(bytes)));
  return {
    [constants.BROTLI_PARAM_QUALITY]: FASTEST,
    [constants.BROTLI_PARAM_LGWIN]: bits,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
  };
}

/** A look at up to 2 KiB: bytes of which each value is about as frequent as any other are compressed or encrypted already. */
function mayCompress(bytes: Buffer): boolean {
  const { length } = bytes;
  if (!isWorthCompressing(length)) return false;
  const counts = new Uint32Array(256);
  const whole = length <= LOOKS * LOOK_BYTES;
  const looked = whole ? length : LOOKS * LOOK_BYTES;
  for (let look = 0; look < (whole ? 1 : LOOKS); look++) {
    const from = whole ? 0 : Math.floor(((length - LOOK_BYTES) * look) / (LOOKS - 1));
    const to = whole ? length : from + LOOK_BYTES;
    for (let i = from; i < to; i++) {
      const byte = bytes[i] ?? 0;
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
  }
  let pairs = 0;
  for (const count of counts) pairs += count * (count - 1);
  return pairs * 256 >= looked * (looked - 1) * LEAST_COINCIDENCE;
}
