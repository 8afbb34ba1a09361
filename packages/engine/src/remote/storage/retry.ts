import { SluiceError, throwIfAborted } from '../../errors.js';
import type { Storage } from './port.js';

/** How often and how patiently to try again. Clock and chance are passed in. */
export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  /** Longest wait before the second attempt; it doubles from attempt to attempt. */
  readonly firstWaitMs: number;
  /** No wait is longer. */
  readonly longestWaitMs: number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/**
 * Tries again what failed with `ERR_REMOTE_DOWN`, after a wait between half and all of the time that is due, so that many clients do not come
 * back at once. What is denied, missing or full stays so and is not tried again. A listing is not either: half of it may have been used.
 */
export function retrying(storage: Storage, options: RetryOptions): Storage {
  const attempt = async <T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> => {
    for (let failures = 1; ; failures++) {
      try {
        return await call();
      } catch (error) {
        const down = error instanceof SluiceError && error.code === 'ERR_REMOTE_DOWN';
        if (!down || failures >= options.attempts) throw error;
      }
      throwIfAborted(signal);
      const due = Math.min(options.firstWaitMs * 2 ** (failures - 1), options.longestWaitMs);
      await options.sleep(due * (0.5 + options.random() / 2), signal);
    }
  };
  const { delete: remove } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    stat: (key, call) => attempt(call?.signal, () => storage.stat(key, call)),
    get: (key, range, call) => attempt(call?.signal, () => storage.get(key, range, call)),
    put: (key, body, call) => attempt(call?.signal, () => storage.put(key, body, call)),
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    ...(remove === undefined
      ? {}
      : { delete: (key, call) => attempt(call?.signal, () => remove.call(storage, key, call)) }),
  };
}
