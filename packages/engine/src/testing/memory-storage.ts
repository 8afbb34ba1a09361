import { throwIfAborted } from '../errors.js';
import type { ListedObject, Storage, StorageKey } from '../remote/storage/port.js';

/** A storage in memory, with its objects open to the test. */
export interface MemoryStorage extends Storage {
  readonly objects: Map<StorageKey, Buffer>;
}

/** An empty storage in memory. */
export function memoryStorage(description = 'memory:'): MemoryStorage {
  const objects = new Map<StorageKey, Buffer>();
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
      return 'stored';
    },
    list: async function* (prefix): AsyncGenerator<ListedObject> {
      for (const key of [...objects.keys()].sort()) {
        if (prefix !== '' && key !== prefix && !key.startsWith(`${prefix}/`)) continue;
        yield { key, bytes: objects.get(key)?.length ?? 0, modifiedMs: 0 };
      }
    },
    delete: async (key) => {
      objects.delete(key);
    },
  };
}
