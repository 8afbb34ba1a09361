import type { Storage } from './port.js';
import { slots } from './slots.js';

/** Lets at most `most` calls run at once; the others wait in the order in which they came. A listing is not counted. */
export function limited(storage: Storage, most: number): Storage {
  const running = slots(most);
  const slot = <T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> =>
    running.hold(1, signal, call);
  const { delete: remove, deleteParts: removeParts } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    stat: (key, options) => slot(options?.signal, () => storage.stat(key, options)),
    get: (key, range, options) => slot(options?.signal, () => storage.get(key, range, options)),
    put: (key, body, options) => slot(options?.signal, () => storage.put(key, body, options)),
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    ...(storage.listUnfinished === undefined ? {} : { listUnfinished: storage.listUnfinished.bind(storage) }),
    ...(storage.flush === undefined ? {} : { flush: storage.flush.bind(storage) }),
    ...(remove === undefined
      ? {}
      : { delete: (key, options) => slot(options?.signal, () => remove.call(storage, key, options)) }),
    ...(removeParts === undefined
      ? {}
      : {
          deleteParts: (key, id, options) => slot(options?.signal, () => removeParts.call(storage, key, id, options)),
        }),
  };
}
