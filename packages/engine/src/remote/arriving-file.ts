import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { SLICE_BYTES } from '../model/map.js';
import type { Ingestor } from '../store/ingest.js';
import type { Store } from '../store/store.js';
import { type Claim, claimTransfer } from '../store/transfers.js';

/** Hashed between two looks at the rest of the process. */
const SLICES_AT_ONCE = 16;

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
  private readonly fd: number;
  private readonly whole: Hash = createHash('sha256');
  /** Everything before this is hashed. */
  private hashed = 0;
  private open = true;

  /** Throws the system error. */
  constructor(store: Store, raw: Buffer, size: number) {
    this.store = store;
    this.raw = raw;
    this.size = size;
    this.claim = claimTransfer(store, 'down', raw.toString('hex'));
    this.fd = store.files.openSync(this.claim.path, this.claim.isLeft ? 'r+' : 'wx+', 0o644);
  }

  /** Whether somebody has left a part of it. */
  get isLeft(): boolean {
    return this.claim.isLeft;
  }

  /** What is not there yet. `slices`: the SHA-256 of each MiB, as the map says. Throws `ERR_INTERRUPTED`. */
  async missing(slices: Buffer, signal: AbortSignal | undefined): Promise<Run[]> {
    const runs: { offset: number; length: number }[] = [];
    const buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
    for (let number = 0, offset = 0; offset < this.size; number++, offset += SLICE_BYTES) {
      if (number % SLICES_AT_ONCE === 0) {
        throwIfAborted(signal);
        await setImmediate();
      }
      const length = Math.min(SLICE_BYTES, this.size - offset);
      const slice = this.read(buffer, offset, length);
      const said = slices.subarray(number * RAW_DIGEST_BYTES, (number + 1) * RAW_DIGEST_BYTES);
      const last = runs.at(-1);
      if (slice !== undefined && createHash('sha256').update(slice).digest().equals(said)) this.hash(slice, offset);
      else if (last !== undefined && last.offset + last.length === offset) last.length += length;
      else runs.push({ offset, length });
    }
    return runs;
  }

  /** Whether bytes with this digest are at their place; then they are taken into the digest of the whole, if it is their turn. */
  holds(raw: Buffer, offset: number, length: number): boolean {
    const bytes = this.read(Buffer.allocUnsafe(length), offset, length);
    if (bytes === undefined || !createHash('sha256').update(bytes).digest().equals(raw)) return false;
    this.hash(bytes, offset);
    return true;
  }

  /** Puts bytes at their place. */
  write(bytes: Buffer, offset: number): void {
    const { files } = this.store;
    for (let at = 0; at < bytes.length; ) at += files.writeSync(this.fd, bytes, at, bytes.length - at, offset + at);
  }

  /** Takes bytes that were written into the digest, if it is their turn. */
  hash(bytes: Buffer, offset: number): void {
    if (offset !== this.hashed) return;
    this.whole.update(bytes);
    this.hashed += bytes.length;
  }

  /** Gives the file to the store if all of it is there. Returns whether its bytes are those of the blob; if not, it is deleted. */
  finish(ingestor: Ingestor): boolean {
    const buffer = this.hashed < this.size ? Buffer.allocUnsafeSlow(SLICE_BYTES) : undefined;
    while (buffer !== undefined && this.hashed < this.size) {
      const bytes = this.read(buffer, this.hashed, Math.min(SLICE_BYTES, this.size - this.hashed));
      if (bytes === undefined) break;
      this.hash(bytes, this.hashed);
    }
    const { files } = this.store;
    // A longer file was left by somebody who was told another size.
    if (files.fstatSync(this.fd).size > this.size) files.ftruncateSync(this.fd, this.size);
    this.close();
    if (this.hashed === this.size && this.whole.digest().equals(this.raw)) {
      ingestor.adopt(this.claim.path, this.raw, 0);
      return true;
    }
    this.claim.drop();
    return false;
  }

  /** Leaves what has come to whoever wants it next. Safe to call at any time. */
  release(): void {
    if (!this.open) return;
    this.close();
    this.claim.release();
  }

  private close(): void {
    if (this.open) this.store.files.closeSync(this.fd);
    this.open = false;
  }

  private read(buffer: Buffer, offset: number, length: number): Buffer | undefined {
    let fill = 0;
    while (fill < length) {
      const read = this.store.files.readSync(this.fd, buffer, fill, length - fill, offset + fill);
      if (read === 0) return undefined;
      fill += read;
    }
    return buffer.subarray(0, length);
  }
}
