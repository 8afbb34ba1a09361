/** Two threads compress about as many bytes in a second as a line of 1 Gbit/s takes. */
const FAST_BYTES_PER_MS = 128_000;
/** What is sent faster than a clock can tell says nothing. */
const LEAST_BYTES = 1024 * 1024;

/** How fast a line takes packs. */
export class LinePace {
  private bytesPerMs = 0;

  /** A pack of so many bytes was sent. */
  note(bytes: number, ms: number): void {
    if (bytes >= LEAST_BYTES) this.bytesPerMs = bytes / Math.max(ms, 1);
  }

  /** Whether the last pack was taken so fast that compressing the next one would only hold it up. */
  get isFast(): boolean {
    return this.bytesPerMs > FAST_BYTES_PER_MS;
  }
}
