import { RAW_DIGEST_BYTES } from './digest.js';
import { CHUNK_ROW_BYTES, failMap, isStoredSize, type MapFront, OWN_KEY_BYTES } from './map.js';

/** A run of a blob's bytes that lies in a pack like a blob of its own, as it stands in a map. */
export interface ChunkRow {
  /** 32 raw bytes. */
  readonly raw: Buffer;
  readonly bytes: number;
  /** Number of the pack. */
  readonly pack: number;
  /** Offset of the header in the pack. */
  readonly offset: number;
  readonly stored: number;
  readonly codec: number;
}

/** Writes a chunk at `at`. */
export function writeChunk(bytes: Buffer, at: number, chunk: ChunkRow): void {
  chunk.raw.copy(bytes, at, 0, RAW_DIGEST_BYTES);
  bytes.writeUInt32LE(chunk.bytes, at + 32);
  bytes.writeUInt32LE(chunk.offset, at + 36);
  bytes.writeUInt32LE(chunk.stored, at + 40);
  bytes.writeUInt16LE(chunk.pack, at + 44);
  bytes[at + 46] = chunk.codec;
  bytes[at + 47] = 0;
}

/** Reads chunks that follow each other. Throws `ERR_MAP_INVALID`. */
export function readChunks(bytes: Buffer, front: MapFront, where: string): ChunkRow[] {
  const rows: ChunkRow[] = [];
  for (let at = 0; at + CHUNK_ROW_BYTES <= bytes.length; at += CHUNK_ROW_BYTES) {
    const row = {
      raw: bytes.subarray(at, at + RAW_DIGEST_BYTES),
      bytes: bytes.readUInt32LE(at + 32),
      pack: bytes.readUInt16LE(at + 44),
      offset: bytes.readUInt32LE(at + 36),
      stored: bytes.readUInt32LE(at + 40),
      codec: bytes.readUInt8(at + 46),
    };
    const fits = isChunkLength(row.bytes) && isStoredSize(row.codec, row.stored, row.bytes);
    if (!fits || row.pack >= front.header.packs) failMap(where, 'a chunk has unknown values');
    rows.push(row);
  }
  return rows;
}

/** Reads all chunks of a blob of a size. Throws `ERR_MAP_INVALID`. */
export function readChunksOf(size: number, bytes: Buffer, front: MapFront, where: string): ChunkRow[] {
  const rows = readChunks(bytes, front, where);
  if (rows.reduce((sum, row) => sum + row.bytes, 0) !== size) failMap(where, 'the chunks of a blob do not add up');
  return rows;
}

/** Whether a chunk can have so many bytes. */
export function isChunkLength(bytes: number): boolean {
  return bytes > 0 && bytes < OWN_KEY_BYTES;
}
