import type { Storage, StorageKey } from './storage/port.js';

/** What is read at least: a request costs more than so many bytes. */
const SMALLEST_WINDOW_BYTES = 4 * 1024;
/** No window is larger, except for one object that is. */
const LARGEST_WINDOW_BYTES = 4 * 1024 * 1024;

/** Reads parts of one object on a remote, a little ahead, so that neighbours come with one request. */
export class RangeReader {
  readonly key: StorageKey;
  private readonly storage: Pick<Storage, 'get'>;
  private readonly signal: AbortSignal | undefined;
  private window: Buffer = Buffer.alloc(0);
  private start = 0;
  private size = SMALLEST_WINDOW_BYTES;

  constructor(storage: Pick<Storage, 'get'>, key: StorageKey, signal: AbortSignal | undefined) {
    this.storage = storage;
    this.key = key;
    this.signal = signal;
  }

  /** What is in memory already of `length` bytes at `offset`: all of them or `undefined`. */
  held(offset: number, length: number): Buffer | undefined {
    const at = offset - this.start;
    if (at < 0 || at + length > this.window.length) return undefined;
    return this.window.subarray(at, at + length);
  }

  /**
   * The bytes from `offset`, fewer than `length` if the object ends before; `undefined` if there is no object. `ahead` is how many bytes from
   * `offset` are sure to be wanted soon; besides, windows grow while reads come in order. The result stays valid.
   */
  async read(offset: number, length: number, ahead = 0): Promise<Buffer | undefined> {
    const held = this.held(offset, length);
    if (held !== undefined) return held;
    const end = this.start + this.window.length;
    const inOrder = this.window.length > 0 && offset >= this.start && offset <= end + this.window.length;
    this.size = inOrder ? Math.min(this.size * 2, LARGEST_WINDOW_BYTES) : SMALLEST_WINDOW_BYTES;
    const wanted = Math.max(length, Math.min(ahead, LARGEST_WINDOW_BYTES), this.size);
    const bytes = await this.storage.get(this.key, { offset, length: wanted }, { signal: this.signal });
    if (bytes === undefined) return undefined;
    this.window = bytes;
    this.start = offset;
    return bytes.subarray(0, length);
  }
}
