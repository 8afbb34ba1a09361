import type { Storage } from '../remote/storage/port.js';

/** A storage that adds up what is read from it. */
export interface ByteCounting extends Storage {
  bytes(): number;
  gets(): number;
}

/** Counts the bytes that answers bring. */
export function byteCounting(storage: Storage): ByteCounting {
  let bytes = 0;
  let gets = 0;
  return {
    ...storage,
    bytes: () => bytes,
    gets: () => gets,
    get: async (key, range, options) => {
      gets++;
      const found = await storage.get(key, range, options);
      bytes += found?.length ?? 0;
      return found;
    },
  };
}
