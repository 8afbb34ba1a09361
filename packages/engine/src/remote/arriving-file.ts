import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { SLICE_BYTES } from '../model/map.js';
import type { Ingestor } from '../store/ingest.js';
import type { ReceivedFile, Receiver } from '../store/receiver.js';
import type { Store } from '../store/store.js';
import { type Claim, claimTransfer } from '../store/transfers.js';
import { readWhole } from '../util/whole-io.js';

/** Hashed between two looks at the rest of the process. */
const BYTES_AT_ONCE = 16 * 1024 * 1024;

/** A piece of a blob with its SHA-256; `bytes` is its length. */
export interface Piece {
  readonly start: number;
  readonly bytes: number;
  readonly raw: Buffer;
}

/** A run of bytes. */
export interface Run {
  readonly offset: number;
  readonly length: number;
}

/**
 * A large blob that comes in pieces, in a file of the store that outlives the process: whoever wants the blob next takes the file over
 * and asks only for what it does not hold. Nothing of it is believed: slices are compared with those of the map, and the whole with its digest.
 */
export class ArrivingFile {
  private readonly store: Store;
  private readonly raw: Buffer;
  private readonly size: number;
  private readonly claim: Claim;
  private readonly file: ReceivedFile;
  private open = true;

  /** Throws the system error. */
  constructor(store: Store, receiver: Receiver, raw: Buffer, size: number) {
    this.store = store;
    this.raw = raw;
    this.size = size;
    this.claim = claimTransfer(store, 'down', raw.toString('hex'));
    if (!this.claim.isLeft) store.files.closeSync(store.files.openSync(this.claim.path, 'wx', 0o644));
    this.file = receiver.open(this.claim.path, size);
  }

  /** Whether somebody has left a part of it. */
  get isLeft(): boolean {
    return this.claim.isLeft;
  }

  /** What is not there yet. `slices`: the SHA-256 of each MiB, as the map says. Throws `ERR_INTERRUPTED`. */
  async missing(slices: Buffer, signal: AbortSignal | undefined): Promise<Run[]> {
    const pieces = Array.from({ length: Math.ceil(this.size / SLICE_BYTES) }, (_, i): Piece => {
      const start = i * SLICE_BYTES;
      const raw = slices.subarray(i * RAW_DIGEST_BYTES, (i + 1) * RAW_DIGEST_BYTES);
      return { start, bytes: Math.min(SLICE_BYTES, this.size - start), raw };
    });
    const runs: { offset: number; length: number }[] = [];
    for (const { start, bytes } of await this.lacking(pieces, signal)) {
      const last = runs.at(-1);
      if (last !== undefined && last.offset + last.length === start) last.length += bytes;
      else runs.push({ offset: start, length: bytes });
    }
    return runs;
  }

  /** The pieces that are not there yet. Throws `ERR_INTERRUPTED`. */
  async lacking<P extends Piece>(pieces: readonly P[], signal: AbortSignal | undefined): Promise<P[]> {
    const { files } = this.store;
    const lacking: P[] = [];
    let hashed = 0;
    const fd = files.openSync(this.claim.path, 'r');
    try {
      for (const piece of pieces) {
        const found = Buffer.allocUnsafe(piece.bytes);
        const isThere = readWhole(files, fd, found, piece.start) === piece.bytes;
        if (!isThere || !createHash('sha256').update(found).digest().equals(piece.raw)) lacking.push(piece);
        hashed += piece.bytes;
        if (hashed < BYTES_AT_ONCE) continue;
        hashed = 0;
        throwIfAborted(signal);
        await setImmediate();
      }
    } finally {
      files.closeSync(fd);
    }
    return lacking;
  }

  /** Puts bytes at their place. They are not to be used meanwhile; the answer says where they are then. */
  write(bytes: Buffer, offset: number): Promise<Buffer> {
    return this.file.write(bytes, offset);
  }

  /** Gives the file to the store if all of it is there. Returns whether its bytes are those of the blob; if not, it is deleted. */
  async finish(ingestor: () => Ingestor): Promise<boolean> {
    this.open = false;
    const digest = await this.file.finish();
    if (digest !== undefined && this.raw.equals(digest)) {
      ingestor().adopt(this.claim.path, this.raw, 0);
      return true;
    }
    this.claim.drop();
    return false;
  }

  /** Leaves what has come to whoever wants it next. Safe to call at any time. */
  async release(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.file.close();
    this.claim.release();
  }
}
