import { SluiceError } from '../../errors.js';
import type { DownDetails } from './retry.js';

/** When a place is left alone. */
export interface BreakerOptions {
  /** So many calls in a row that failed with `ERR_REMOTE_DOWN`. */
  readonly failures: number;
  /** For so long; then one call is let through again. Longer if the place asked for it. */
  readonly restMs: number;
}

/** Lets calls through, or not. */
export interface Breaker {
  /** Runs a call. Throws the last failure at once while the place is left alone. */
  run<T>(call: () => Promise<T>): Promise<T>;
}

/**
 * Saves the time that calls to a dead place would take: after too many failures in a row, and while a place has asked to be left alone for longer than anybody waits, calls
 * fail at once. `now` is a clock that only goes forward, in milliseconds.
 */
export function createBreaker({ failures, restMs }: BreakerOptions, now: () => number): Breaker {
  let inARow = 0;
  let until = 0;
  let last: SluiceError | undefined;
  return {
    run: async (call) => {
      if (last !== undefined && now() < until) throw last;
      try {
        const result = await call();
        inARow = 0;
        last = undefined;
        return result;
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'ERR_REMOTE_DOWN') throw error;
        const { retryAfterMs = 0 }: DownDetails = error.details ?? {};
        const askedFor = retryAfterMs > restMs;
        if (++inARow >= failures || askedFor) {
          last = error;
          until = now() + Math.max(restMs, retryAfterMs);
        }
        throw error;
      }
    },
  };
}
