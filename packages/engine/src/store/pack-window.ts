import { errnoOf } from '../errors.js';
import type { Files } from './files.js';

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Reads a pack from front to back in large pieces. A view is valid until the next call. */
export class PackWindow {
  readonly bytes: number;
  private readonly files: Files;
  private readonly fd: number;
  private buffer: Buffer;
  private start = 0;
  private length = 0;

  /** Throws the system error if the file cannot be opened. */
  constructor(files: Files, path: string) {
    this.files = files;
    this.fd = files.openSync(path, 'r');
    this.bytes = files.fstatSync(this.fd).size;
    this.buffer = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, Math.max(1, this.bytes)));
  }

  /** The bytes at a position, or `undefined` if the file ends before them or cannot be read there. */
  view(position: number, length: number): Buffer | undefined {
    if (position + length > this.bytes) return undefined;
    if (position < this.start || position + length > this.start + this.length) this.fill(position, length);
    if (position + length > this.start + this.length) return undefined;
    const from = position - this.start;
    return this.buffer.subarray(from, from + length);
  }

  close(): void {
    this.files.closeSync(this.fd);
  }

  private fill(position: number, needed: number): void {
    const length = Math.min(Math.max(needed, WINDOW_BYTES), this.bytes - position);
    if (this.buffer.length < length) this.buffer = Buffer.allocUnsafe(length);
    this.start = position;
    this.length = 0;
    try {
      while (this.length < length) {
        const read = this.files.readSync(
          this.fd,
          this.buffer,
          this.length,
          length - this.length,
          position + this.length,
        );
        if (read === 0) return;
        this.length += read;
      }
    } catch (error) {
      if (errnoOf(error) !== 'EIO') throw error;
    }
  }
}
