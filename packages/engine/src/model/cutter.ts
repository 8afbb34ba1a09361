import { createHash } from 'node:crypto';
import { RAW_DIGEST_BYTES, rawDigestOf } from './digest.js';

/*
 * Where a blob is cut into chunks: `docs/format.md`, "Cuts".
 */

/** Every MiB, or by the content, so that an edit changes the cuts around it only. */
export type Cuts = 'even' | 'content';

/** The chunks of a blob, in order. Plain values, so they can cross threads. */
export interface CutBlob {
  readonly lengths: Uint32Array;
  /** 32 raw bytes for each. */
  readonly digests: Uint8Array;
}

/** A blob of more bytes is cut by its content, where that was asked for: of a smaller one an edit costs little. */
export const CONTENT_CUT_BYTES: number = 16 * 1024 * 1024;

/** @internal */
export const EVEN_BYTES: number = 1024 * 1024;
/** @internal */
export const SHORTEST_BYTES: number = 64 * 1024;
const USUAL_BYTES = 256 * 1024;
/** @internal */
export const LONGEST_BYTES: number = 512 * 1024;
/** 20 and 16 bits: cuts are rare before the usual length and frequent behind it, so that lengths gather there. */
const MASK_BEFORE = 0xfffff000 | 0;
const MASK_BEHIND = 0xffff0000 | 0;

/** Cuts a blob whose bytes come in buffers of any length, and hashes the chunks. */
export class Cutter {
  private readonly next: (bytes: Buffer, from: number) => number;
  private readonly lengths: number[] = [];
  private readonly digests: Buffer[] = [];
  private sha = createHash('sha256');
  /** Bytes of the current chunk before the current buffer, and its hash up to there. */
  private length = 0;
  private hash = 0;

  constructor(cuts: Cuts) {
    this.next = cuts === 'even' ? this.nextEven : this.nextByContent;
  }

  update(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const cut = this.next(bytes, from);
      const end = cut < 0 ? bytes.length : cut;
      this.sha.update(bytes.subarray(from, end));
      this.length += end - from;
      from = end;
      if (cut >= 0) this.cut();
    }
  }

  finish(): CutBlob {
    if (this.length > 0) this.cut();
    return { lengths: Uint32Array.from(this.lengths), digests: Buffer.concat(this.digests) };
  }

  private cut(): void {
    this.lengths.push(this.length);
    this.digests.push(this.sha.digest());
    this.sha = createHash('sha256');
    this.length = 0;
    this.hash = 0;
  }

  /** The end of the current chunk in the buffer, or -1. */
  private nextEven(bytes: Buffer, from: number): number {
    const end = from + EVEN_BYTES - this.length;
    return end <= bytes.length ? end : -1;
  }

  private nextByContent(bytes: Buffer, from: number): number {
    // In the buffer, the chunk's first byte would be here.
    const start = from - this.length;
    const behind = start + USUAL_BYTES - 1;
    const last = Math.min(bytes.length, start + LONGEST_BYTES);
    let at = Math.max(from, start + SHORTEST_BYTES);
    let hash = this.hash;
    const quick = Math.min(last, behind);
    for (; at < quick; at++) {
      hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
      if ((hash & MASK_BEFORE) === 0) return at + 1;
    }
    for (; at < last; at++) {
      hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
      if ((hash & MASK_BEHIND) === 0) return at + 1;
    }
    this.hash = hash;
    return last === start + LONGEST_BYTES ? last : -1;
  }
}

/** The raw digest of a chunk. */
export function chunkRaw({ digests }: CutBlob, chunk: number): Buffer {
  return Buffer.from(digests.buffer, digests.byteOffset + chunk * RAW_DIGEST_BYTES, RAW_DIGEST_BYTES);
}

const GEAR: Int32Array = Int32Array.from({ length: 256 }, (_, i) =>
  rawDigestOf(Buffer.from(`sluice gear ${i}`)).readInt32LE(0),
);
