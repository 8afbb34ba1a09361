import { throwIfAborted } from '../errors.js';

/** Runs transfers beside the work that prepares them, and holds that work back while too many bytes are on their way. */
export class Outbox {
  private readonly mostBytes: number;
  private readonly signal: AbortSignal | undefined;
  private readonly running = new Set<Promise<void>>();
  private bytes = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(mostBytes: number, signal: AbortSignal | undefined) {
    this.mostBytes = mostBytes;
    this.signal = signal;
  }

  /** Starts a transfer when there is room for it. Throws what an earlier one threw. */
  async send(bytes: number, transfer: () => Promise<void>): Promise<void> {
    while (this.running.size > 0 && this.bytes + bytes > this.mostBytes) {
      await Promise.race(this.running);
      this.check();
    }
    this.check();
    this.bytes += bytes;
    const run = transfer()
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.bytes -= bytes;
        this.running.delete(run);
      });
    this.running.add(run);
  }

  /** Waits until everything has arrived. Throws the first failure. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
    this.check();
  }

  /** Waits for what is on its way after a failure elsewhere. */
  async drained(): Promise<void> {
    await Promise.all(this.running);
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure.error;
    throwIfAborted(this.signal);
  }
}
