import type { Storage } from './port.js';

/** How many requests a storage got; each page of a listing counts once. */
export interface RequestCounts {
  head: number;
  get: number;
  put: number;
  list: number;
  delete: number;
}

/** A storage that counts. Put it next to the driver, inside of `retry`, so that every try is counted. */
export interface CountingStorage extends Storage {
  readonly requests: Readonly<RequestCounts>;
}

/** Counts the calls that reach the storage. A driver that needs several requests for a `put` counts them itself. */
export function counting(storage: Storage): CountingStorage {
  const requests: RequestCounts = { head: 0, get: 0, put: 0, list: 0, delete: 0 };
  const { list, listUnfinished, delete: remove, deleteParts: removeParts } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    requests,
    stat: (key, options) => {
      requests.head++;
      return storage.stat(key, options);
    },
    get: (key, range, options) => {
      requests.get++;
      return storage.get(key, range, options);
    },
    put: (key, body, options) => {
      requests.put++;
      return storage.put(key, body, options);
    },
    ...(storage.flush === undefined ? {} : { flush: storage.flush.bind(storage) }),
    ...(list === undefined
      ? {}
      : {
          list: (prefix, options) => {
            requests.list++;
            return list.call(storage, prefix, options);
          },
        }),
    ...(listUnfinished === undefined
      ? {}
      : {
          listUnfinished: (prefix, beforeMs, options) => {
            requests.list++;
            return listUnfinished.call(storage, prefix, beforeMs, options);
          },
        }),
    ...(remove === undefined
      ? {}
      : {
          delete: (key, options) => {
            requests.delete++;
            return remove.call(storage, key, options);
          },
        }),
    ...(removeParts === undefined
      ? {}
      : {
          deleteParts: (key, id, options) => {
            requests.delete++;
            return removeParts.call(storage, key, id, options);
          },
        }),
  };
}
