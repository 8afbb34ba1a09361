import { throwIfAborted } from '../errors.js';
import type { ListedObject, Storage, StorageKey } from '../remote/storage/port.js';

/** A storage in memory, with its objects open to the test. */
export interface MemoryStorage extends Storage {
  readonly objects: Map<StorageKey, Buffer>;
}

/** An empty storage in memory. `nowMs`: its clock. */
export function memoryStorage(description = 'memory:', nowMs: () => number = () => 0): MemoryStorage {
  const objects = new Map<StorageKey, Buffer>();
  const times = new Map<StorageKey, number>();
  return {
    description,
    durable: true,
    objects,
    stat: async (key, options) => {
      throwIfAborted(options?.signal);
      const bytes = objects.get(key);
      return bytes === undefined ? undefined : { bytes: bytes.length };
    },
    get: async (key, { offset, length }, options) => {
      throwIfAborted(options?.signal);
      const bytes = objects.get(key);
      return bytes === undefined ? undefined : Buffer.from(bytes.subarray(offset, offset + length));
    },
    put: async (key, body, options = {}) => {
      throwIfAborted(options.signal);
      const chunks: Buffer[] = [];
      for await (const chunk of body.chunks()) {
        throwIfAborted(options.signal);
        chunks.push(Buffer.from(chunk));
      }
      const whole = Buffer.concat(chunks);
      if (whole.length !== body.bytes) throw new Error(`a body of ${body.bytes} bytes gave ${whole.length}`);
      if (options.ifAbsent === true && objects.has(key)) return 'exists';
      objects.set(key, whole);
      times.set(key, nowMs());
      return 'stored';
    },
    list: async function* (prefix): AsyncGenerator<ListedObject> {
      for (const key of [...objects.keys()].sort()) {
        if (prefix !== '' && key !== prefix && !key.startsWith(`${prefix}/`)) continue;
        yield { key, bytes: objects.get(key)?.length ?? 0, modifiedMs: times.get(key) ?? 0 };
      }
    },
    delete: async (key) => {
      objects.delete(key);
    },
  };
}
