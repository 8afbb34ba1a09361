import { pause, type RetryOptions } from '../retry.js';
import type { CacheService } from './cache-service.js';

const MINUTE_MS = 60_000;

/** Lets a service reserve at most `perMinute` entries in a minute, and so many at once: a repository may not have more than 200, for all its jobs together. */
export function paced(service: CacheService, perMinute: number, wait: Pick<RetryOptions, 'sleep'>): CacheService {
  const taken: number[] = [];
  return {
    ...service,
    create: async (key, signal) => {
      for (;;) {
        const now = performance.now();
        while (taken[0] !== undefined && now - taken[0] >= MINUTE_MS) taken.shift();
        if (taken.length < perMinute) break;
        await pause(wait, MINUTE_MS - (now - (taken[0] ?? now)), signal);
      }
      taken.push(performance.now());
      return await service.create(key, signal);
    },
  };
}
