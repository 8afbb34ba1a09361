import { throwIfAborted } from '../../errors.js';
import type { Storage } from './port.js';

/** Lets at most `most` calls run at once; the others wait in the order in which they came. A listing is not counted. */
export function limited(storage: Storage, most: number): Storage {
  const waiting: (() => void)[] = [];
  let running = 0;
  const slot = async <T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> => {
    // A call that ends hands its slot to the first in the queue, so nobody can get in between.
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      throwIfAborted(signal);
      return await call();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
  const { delete: remove } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    stat: (key, options) => slot(options?.signal, () => storage.stat(key, options)),
    get: (key, range, options) => slot(options?.signal, () => storage.get(key, range, options)),
    put: (key, body, options) => slot(options?.signal, () => storage.put(key, body, options)),
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    ...(remove === undefined
      ? {}
      : { delete: (key, options) => slot(options?.signal, () => remove.call(storage, key, options)) }),
  };
}
