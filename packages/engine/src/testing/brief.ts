import { setTimeout as sleep } from 'node:timers/promises';
import type { RetryOptions } from '../remote/storage/retry.js';

/** Patience for tests: real waits, but short ones. */
export const BRIEF: RetryOptions = {
  attempts: 5,
  firstWaitMs: 10,
  longestWaitMs: 50,
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
  random: () => 0.5,
};
