import zlib from 'node:zlib';

/*
 * Zstandard of Node itself: from 22.15 and 23.8, and in no version of line 20. `decompress.ts` has another way to read it.
 */

/** What is used of `node:zlib`. */
export interface Zstd {
  compress(bytes: Buffer, options: ZstdOptions): Buffer;
  /** Throws for anything but a sound frame of at most `maxOutputLength` bytes. */
  decompress(bytes: Buffer, options: ZstdOptions): Buffer;
}

interface ZstdOptions {
  readonly chunkSize: number;
  readonly maxOutputLength?: number;
  readonly params: Readonly<Record<number, number>>;
}

/** Both parameters have this number in `zlib.constants`, where Node has them. */
export const ZSTD_COMPRESSION_LEVEL = 100;
export const ZSTD_WINDOW_LOG_MAX = 100;

// The types of the oldest supported Node do not know these.
declare module 'zlib' {
  const zstdCompressSync: Zstd['compress'] | undefined;
  const zstdDecompressSync: Zstd['decompress'] | undefined;
}

/** Zstandard of this Node; `undefined` where it has none. */
export function zstdOfNode(): Zstd | undefined {
  const { zstdCompressSync: compress, zstdDecompressSync: decompress } = zlib;
  return compress === undefined || decompress === undefined ? undefined : { compress, decompress };
}
