import { PACK_NAME_BYTES } from '../model/map.js';
import {
  type BLOBS,
  CODEC_NONE,
  CODEC_PATCH,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PackIndexBuilder,
  packHeader,
  type TREES,
  writeObjectHeader,
} from '../model/pack.js';

/** A pack that is ready to be sent. */
export interface BuiltPack {
  /** 16 raw bytes. */
  readonly name: Buffer;
  readonly content: typeof BLOBS | typeof TREES;
  /** Header and objects; no object lies in two of them. */
  readonly chunks: readonly Buffer[];
  /** Bytes of the chunks. */
  readonly bytes: number;
  /** Number of objects. */
  readonly count: number;
  /** Index and trailer, which come last. */
  readonly tail: Buffer;
}

/** A pack is sent when it has this size: one that is filled and two that are on their way fit into memory, and each is one request, since places ask for parts of larger ones. */
export const REMOTE_PACK_BYTES: number = 16 * 1024 * 1024;

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Fills packs in memory, one after another, so that a pack can be sent again if sending fails. */
export class PackBuilder {
  private readonly content: typeof BLOBS | typeof TREES;
  private readonly newName: () => Buffer;
  private readonly spare: Buffer[] = [];
  private name: Buffer = Buffer.alloc(0);
  private chunks: Buffer[] = [];
  private chunk: Buffer = Buffer.alloc(0);
  private fill = 0;
  /** Bytes of the pack up to the current chunk. */
  private before = 0;
  private index = new PackIndexBuilder();

  /** `newName` gives {@link PACK_NAME_BYTES} random bytes. */
  constructor(content: typeof BLOBS | typeof TREES, newName: () => Buffer) {
    this.content = content;
    this.newName = newName;
  }

  /**
   * Takes a copy of an object whose digest is at `rawAt` in `raw`; returns the offset of its header in the pack that {@link seal} gives next. `patched`: the length of a node of which
   * the bytes are what is new in it.
   */
  add(kind: number, bytes: Buffer, raw: Buffer, rawAt: number, patched?: number): number {
    if (this.index.count === 0) this.begin();
    const needed = OBJECT_HEADER_BYTES + bytes.length;
    if (this.fill + needed > this.chunk.length) this.nextChunk(needed);
    const at = this.fill;
    const codec = patched === undefined ? CODEC_NONE : CODEC_PATCH;
    const entry = { offset: this.before + at, stored: bytes.length, full: patched ?? bytes.length, codec, kind };
    writeObjectHeader(this.chunk, at, entry);
    raw.copy(this.chunk, at + OBJECT_DIGEST_OFFSET, rawAt, rawAt + 32);
    bytes.copy(this.chunk, at + OBJECT_HEADER_BYTES);
    this.index.add(raw, rawAt, entry);
    this.fill = at + needed;
    return entry.offset;
  }

  /** The raw name of the pack that the next object goes into, or the last one went into. */
  get current(): Buffer {
    return this.name;
  }

  get isFull(): boolean {
    return this.before + this.fill >= REMOTE_PACK_BYTES;
  }

  /** Ends the current pack; `undefined` if it holds nothing. */
  seal(): BuiltPack | undefined {
    if (this.index.count === 0) return undefined;
    const { count } = this.index;
    const tail = this.index.finish();
    const chunks = [...this.chunks, this.chunk.subarray(0, this.fill)];
    const bytes = this.before + this.fill;
    this.index = new PackIndexBuilder();
    this.chunk = Buffer.alloc(0);
    this.fill = 0;
    return { name: this.name, content: this.content, chunks, bytes, count, tail };
  }

  /** Gives back the memory of a pack that has been sent. */
  recycle(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) {
      if (chunk.byteOffset === 0 && chunk.buffer.byteLength === CHUNK_BYTES) {
        this.spare.push(Buffer.from(chunk.buffer, 0, CHUNK_BYTES));
      }
    }
  }

  private begin(): void {
    this.name = this.newName();
    this.chunks = [];
    this.before = 0;
    this.nextChunk(CHUNK_BYTES);
    this.fill = packHeader(this.content).copy(this.chunk, 0, 0, PACK_HEADER_BYTES);
  }

  private nextChunk(needed: number): void {
    if (this.fill > 0) this.chunks.push(this.chunk.subarray(0, this.fill));
    this.before += this.fill;
    this.fill = 0;
    this.chunk =
      needed > CHUNK_BYTES ? Buffer.allocUnsafeSlow(needed) : (this.spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES));
  }
}
