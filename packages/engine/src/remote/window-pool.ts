/** Below this, memory is asked for anew: what the pool saves is large blocks, which are given back long after they are free. */
const SMALLEST_BYTES = 64 * 1024;

/**
 * Memory for answers of a remote that is used again and again. Sizes are rounded up to powers of two. What is given out counts for nothing until it
 * comes back; at most `keptBytes` are kept for later.
 */
export class WindowPool {
  private readonly keptBytes: number;
  private readonly free = new Map<number, ArrayBuffer[]>();
  private kept = 0;
  private readonly given = new WeakSet<ArrayBufferLike>();

  constructor(keptBytes: number) {
    this.keptBytes = keptBytes;
  }

  /** Memory of so many bytes with anything in it. */
  readonly allocate = (bytes: number): Buffer => {
    if (bytes < SMALLEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const block = this.free.get(size)?.pop();
    if (block !== undefined) this.kept -= size;
    const memory = block ?? Buffer.allocUnsafeSlow(size).buffer;
    this.given.add(memory);
    return Buffer.from(memory, 0, bytes);
  };

  /** Whether the bytes lie in memory of this pool. */
  owns({ buffer }: Buffer): boolean {
    return this.given.has(buffer);
  }

  /** Takes memory of this pool back, which may have been in another thread meanwhile. Nobody may use it any more. */
  release({ buffer }: Buffer): void {
    const size = buffer.byteLength;
    if (!(buffer instanceof ArrayBuffer) || this.kept + size > this.keptBytes) return;
    this.kept += size;
    this.free.set(size, [...(this.free.get(size) ?? []), buffer]);
  }
}
