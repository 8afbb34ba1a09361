import { SluiceError, throwIfAborted } from '../../errors.js';
import { eachCall } from './each-call.js';
import type { Storage } from './port.js';

/** How often and how patiently to try again. Clock and chance are passed in. */
export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  /** Longest wait before the second attempt; it doubles from attempt to attempt. */
  readonly firstWaitMs: number;
  /** No wait is longer, unless the place asks for one. */
  readonly longestWaitMs: number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/** What a driver knows about a failure with `ERR_REMOTE_DOWN`, in the `details` of the error. */
export interface DownDetails {
  /** The place asks not to be called again before. */
  readonly retryAfterMs?: number;
  /** The driver has made sure that nobody answers: trying again would only take time. */
  readonly silent?: boolean;
}

/** Who asks for a longer wait than this is as good as down. */
const LONGEST_ASKED_WAIT_MS = 30_000;

/**
 * Calls again what fails with `ERR_REMOTE_DOWN`, after a wait between half and all of the time that is due, so that many clients do not come
 * back at once; never before the place asked to be called again. What is denied, missing or full stays so and is not tried again.
 */
export async function tryAgain<T>(
  options: RetryOptions,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    let askedMs: number;
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'ERR_REMOTE_DOWN') throw error;
      const { retryAfterMs = 0, silent = false }: DownDetails = error.details ?? {};
      if (silent || failures >= options.attempts || retryAfterMs > LONGEST_ASKED_WAIT_MS) throw error;
      askedMs = retryAfterMs;
    }
    throwIfAborted(signal);
    const due = Math.min(options.firstWaitMs * 2 ** (failures - 1), options.longestWaitMs);
    await pause(options, askedMs + due * (0.5 + options.random() / 2), signal);
  }
}

/** Waits. Throws `ERR_INTERRUPTED` after an abort. */
export async function pause(
  { sleep }: Pick<RetryOptions, 'sleep'>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await sleep(ms, signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

/** Tries each call again as {@link tryAgain} does. A listing is not tried again: half of it may have been used. */
export function retrying(storage: Storage, options: RetryOptions): Storage {
  return eachCall(storage, (signal, call) => tryAgain(options, signal, call));
}
