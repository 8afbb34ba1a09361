import type { Storage } from './port.js';

/** What went to and came from a storage. `busyMs`: the time in which at least one call was under way. */
export interface Traffic {
  receivedObjects: number;
  receivedBytes: number;
  sentObjects: number;
  sentBytes: number;
  busyMs: number;
}

/** A storage whose traffic is counted. */
export interface MeteredStorage extends Storage {
  readonly traffic: Readonly<Traffic>;
}

/** Counts what goes through. A part of an object counts as an object. `nowMs` is a clock that only goes on. */
export function metered(storage: Storage, nowMs: () => number): MeteredStorage {
  const traffic: Traffic = { receivedObjects: 0, receivedBytes: 0, sentObjects: 0, sentBytes: 0, busyMs: 0 };
  let underWay = 0;
  let sinceMs = 0;
  const timed = async <T>(call: () => Promise<T>): Promise<T> => {
    if (underWay++ === 0) sinceMs = nowMs();
    try {
      return await call();
    } finally {
      if (--underWay === 0) traffic.busyMs += nowMs() - sinceMs;
    }
  };
  const { delete: remove } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    traffic,
    stat: (key, options) => timed(() => storage.stat(key, options)),
    get: (key, range, options) =>
      timed(async () => {
        const bytes = await storage.get(key, range, options);
        if (bytes === undefined) return undefined;
        traffic.receivedObjects++;
        traffic.receivedBytes += bytes.length;
        return bytes;
      }),
    put: (key, body, options) =>
      timed(async () => {
        const answer = await storage.put(key, body, options);
        if (answer === 'stored') {
          traffic.sentObjects++;
          traffic.sentBytes += body.bytes;
        }
        return answer;
      }),
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    ...(storage.flush === undefined ? {} : { flush: (options) => timed(async () => storage.flush?.(options)) }),
    ...(remove === undefined ? {} : { delete: (key, options) => remove.call(storage, key, options) }),
  };
}
