import { createHash, type Hash } from 'node:crypto';
import { writeWhole } from '../util/whole-io.js';
import type { Files } from './files.js';

/** Read at once where bytes came before their turn. */
const READ_BYTES = 1024 * 1024;

/**
 * A file that exists and whose bytes come in any order. They are hashed as they come if it is their turn, and read back when it is if they came early; what nobody
 * has written here, such as what an earlier process left, is read at the end.
 */
export class GrowingFile {
  private readonly files: Files;
  private readonly fd: number;
  private readonly sha: Hash = createHash('sha256');
  /** Everything before this is hashed. */
  private hashed = 0;
  /** Lengths of what came before its turn, by offset. */
  private readonly early = new Map<number, number>();
  private scratch: Buffer | undefined;

  /** Throws the system error. */
  constructor(files: Files, path: string) {
    this.files = files;
    this.fd = files.openSync(path, 'r+');
  }

  /** Puts bytes at their place. Throws the system error. */
  write(bytes: Uint8Array, offset: number): void {
    writeWhole(this.files, this.fd, bytes, offset);
    if (offset !== this.hashed) {
      this.early.set(offset, bytes.length);
      return;
    }
    this.sha.update(bytes);
    this.hashed += bytes.length;
    for (let length = this.early.get(this.hashed); length !== undefined; length = this.early.get(this.hashed)) {
      this.early.delete(this.hashed);
      if (!this.readTo(this.hashed + length)) return;
    }
  }

  /** The SHA-256 of the file once it has `size` bytes, what lies behind them cut off; `undefined` if it has fewer. The file is closed. */
  finish(size: number): Buffer | undefined {
    try {
      // A longer file was left by somebody who was told another size.
      if (this.files.fstatSync(this.fd).size > size) this.files.ftruncateSync(this.fd, size);
      return this.hashed <= size && this.readTo(size) ? this.sha.digest() : undefined;
    } finally {
      this.close();
    }
  }

  /** Leaves the file as it is. */
  close(): void {
    this.files.closeSync(this.fd);
  }

  /** Hashes what is in the file up to `end`; returns whether it is that long. */
  private readTo(end: number): boolean {
    this.scratch ??= Buffer.allocUnsafeSlow(READ_BYTES);
    while (this.hashed < end) {
      const wanted = Math.min(READ_BYTES, end - this.hashed);
      const read = this.files.readSync(this.fd, this.scratch, 0, wanted, this.hashed);
      if (read === 0) return false;
      this.sha.update(this.scratch.subarray(0, read));
      this.hashed += read;
    }
    return true;
  }
}
