import { compress } from './compress.js';
import {
  type BLOBS,
  CODEC_NONE,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PackIndexBuilder,
  packHeader,
  readObjectHeader,
  type TREES,
  writeObjectHeader,
} from './pack.js';

/** A pack as it was filled, without its index: nothing in it is compressed. Plain values, so it can cross threads. */
export interface RawPack {
  readonly content: typeof BLOBS | typeof TREES;
  /** The header of the pack and the objects; none lies in two of them. Each fills its memory alone. */
  readonly chunks: readonly Uint8Array[];
  readonly count: number;
}

/** The same pack with the objects compressed where that pays. Plain values, so it can cross threads. */
export interface EncodedPack {
  readonly chunks: readonly Uint8Array[];
  /** What changed; absent if nothing is compressed, and the chunks are those that came. */
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

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Compresses the objects of a pack where that pays. */
export function encodePack({ content, chunks, count }: RawPack): EncodedPack {
  const out = new Output(content);
  const offsets = new Uint32Array(count);
  const stored = new Uint32Array(count);
  const codecs = new Uint8Array(count);
  const index = new PackIndexBuilder();
  let pays = false;
  let object = 0;
  for (const { chunk, at } of objectsOf(chunks)) {
    const header = readObjectHeader(chunk, at);
    const from = at + OBJECT_HEADER_BYTES;
    const bytes = chunk.subarray(from, from + header.stored);
    const compressed = compress(bytes);
    if (compressed !== undefined) pays = true;
    const codec = compressed?.codec ?? CODEC_NONE;
    const kept = compressed?.bytes ?? bytes;
    const entry = { ...header, offset: 0, stored: kept.length, codec };
    const raw = chunk.subarray(at + OBJECT_DIGEST_OFFSET, from);
    const placed = { ...entry, offset: out.add(entry, raw, kept) };
    index.add(raw, 0, placed);
    offsets[object] = placed.offset;
    stored[object] = placed.stored;
    codecs[object] = codec;
    object++;
  }
  if (!pays) return { chunks };
  return { chunks: out.finish(), encoding: { offsets, stored, codecs, tail: index.finish() } };
}

function* objectsOf(chunks: readonly Uint8Array[]): Generator<{ chunk: Buffer; at: number }> {
  for (const [i, bytes] of chunks.entries()) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = i === 0 ? PACK_HEADER_BYTES : 0; at < chunk.length; ) {
      yield { chunk, at };
      at += OBJECT_HEADER_BYTES + chunk.readUInt32LE(at);
    }
  }
}

/** The bytes of a pack while it grows. */
class Output {
  private readonly chunks: Buffer[] = [];
  private chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private fill: number;
  private before = 0;

  constructor(content: typeof BLOBS | typeof TREES) {
    this.fill = packHeader(content).copy(this.chunk);
  }

  /** Adds an object and returns its offset. */
  add(entry: { stored: number; full: number; codec: number; kind: number }, raw: Buffer, bytes: Buffer): number {
    const needed = OBJECT_HEADER_BYTES + bytes.length;
    if (this.fill + needed > this.chunk.length) {
      this.close();
      this.chunk = Buffer.allocUnsafeSlow(Math.max(needed, CHUNK_BYTES));
    }
    writeObjectHeader(this.chunk, this.fill, entry);
    raw.copy(this.chunk, this.fill + OBJECT_DIGEST_OFFSET);
    bytes.copy(this.chunk, this.fill + OBJECT_HEADER_BYTES);
    const offset = this.before + this.fill;
    this.fill += needed;
    return offset;
  }

  finish(): Buffer[] {
    this.close();
    return this.chunks;
  }

  private close(): void {
    this.chunks.push(this.chunk.subarray(0, this.fill));
    this.before += this.fill;
    this.fill = 0;
  }
}
