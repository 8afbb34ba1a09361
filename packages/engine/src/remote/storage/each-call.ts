import type { Storage } from './port.js';

/** How a call is made: later, again, or as one of few. */
export type Calling = <T>(signal: AbortSignal | undefined, call: () => Promise<T>) => Promise<T>;

/** A storage each of whose calls is made by `calling`. Listings and flushes are not: half of a listing may have been used, and a flush is as long as what it gathers. */
export function eachCall(storage: Storage, calling: Calling): Storage {
  const { delete: remove, deleteParts: removeParts } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    stat: (key, options) => calling(options?.signal, () => storage.stat(key, options)),
    get: (key, range, options) => calling(options?.signal, () => storage.get(key, range, options)),
    put: (key, body, options) => calling(options?.signal, () => storage.put(key, body, options)),
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    ...(storage.listUnfinished === undefined ? {} : { listUnfinished: storage.listUnfinished.bind(storage) }),
    ...(storage.flush === undefined ? {} : { flush: storage.flush.bind(storage) }),
    ...(remove === undefined
      ? {}
      : { delete: (key, options) => calling(options?.signal, () => remove.call(storage, key, options)) }),
    ...(removeParts === undefined
      ? {}
      : {
          deleteParts: (key, id, options) =>
            calling(options?.signal, () => removeParts.call(storage, key, id, options)),
        }),
  };
}
