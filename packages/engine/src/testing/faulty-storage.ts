import { SluiceError } from '../errors.js';
import { bodyOf, type Storage, type StorageKey } from '../remote/storage/port.js';

/** The methods that can be made to fail. */
export type FaultyMethod = 'stat' | 'get' | 'put' | 'delete';

/**
 * What happens to one call: it fails before or after it has had its effect, gives fewer or other bytes (`get`), claims
 * that nothing is there (`stat`, `get`), keeps nothing although it says so (`put`), or waits for a gate first.
 */
export type Fault =
  | { readonly kind: 'error'; readonly code: 'ERR_REMOTE_DOWN' | 'ERR_REMOTE_DENIED'; readonly after?: boolean }
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'flip'; readonly at: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forget' }
  | { readonly kind: 'gate'; readonly opened: Promise<unknown> };

/** A storage that misbehaves as it was told to. */
export interface FaultyStorage extends Storage {
  /** Queues a fault for the next call of `method` whose key matches; faults of one method are used in their order. */
  inject(method: FaultyMethod, fault: Fault, key?: RegExp): void;
  /** Throws if a fault was never used: then the test did not test what it says. */
  assertAllHit(): void;
}

interface Queued {
  readonly method: FaultyMethod;
  readonly fault: Fault;
  readonly key: RegExp;
}

/** Puts faults between a caller and a storage. */
export function faulty(storage: Storage): FaultyStorage {
  const queue: Queued[] = [];
  const next = (method: FaultyMethod, key: StorageKey): Fault | undefined => {
    const at = queue.findIndex((queued) => queued.method === method && queued.key.test(key));
    return at < 0 ? undefined : queue.splice(at, 1)[0]?.fault;
  };
  const around = async <T>(fault: Fault | undefined, key: StorageKey, call: () => Promise<T>): Promise<T> => {
    if (fault?.kind === 'gate') await fault.opened;
    if (fault?.kind !== 'error') return call();
    if (fault.after === true) await call();
    throw new SluiceError(fault.code, `injected failure of ${storage.description} at ${key}`);
  };
  const { delete: remove } = storage;
  return {
    description: storage.description,
    durable: storage.durable,
    inject: (method, fault, key = /(?:)/) => {
      queue.push({ method, fault, key });
    },
    assertAllHit: () => {
      const left = queue.map(({ method, fault, key }) => `${fault.kind} of ${method} at ${String(key)}`);
      if (left.length > 0) throw new Error(`faults that were never hit: ${left.join(', ')}`);
    },
    stat: (key, options) => {
      const fault = next('stat', key);
      return around(fault, key, async () => (fault?.kind === 'missing' ? undefined : storage.stat(key, options)));
    },
    get: (key, range, options) => {
      const fault = next('get', key);
      return around(fault, key, async () => {
        const bytes = await storage.get(key, range, options);
        if (bytes === undefined || fault?.kind === 'missing') return undefined;
        if (fault?.kind === 'short') return bytes.subarray(0, Math.min(fault.bytes, bytes.length));
        if (fault?.kind === 'flip') return flipped(bytes, fault.at);
        return bytes;
      });
    },
    put: (key, body, options) => {
      const fault = next('put', key);
      return around(fault, key, async () => {
        if (fault?.kind === 'forget') return 'stored';
        if (fault?.kind !== 'flip') return storage.put(key, body, options);
        const chunks: Buffer[] = [];
        for await (const chunk of body.chunks()) chunks.push(chunk);
        return storage.put(key, bodyOf(flipped(Buffer.concat(chunks), fault.at)), options);
      });
    },
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    ...(storage.flush === undefined ? {} : { flush: storage.flush.bind(storage) }),
    ...(remove === undefined
      ? {}
      : {
          delete: (key, options) => around(next('delete', key), key, () => remove.call(storage, key, options)),
        }),
  };
}

/** A copy with one bit changed; `at` counts from the end if it is negative. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}
