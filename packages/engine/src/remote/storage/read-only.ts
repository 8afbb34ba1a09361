import { SluiceError } from '../../errors.js';
import type { Storage, StorageKey } from './port.js';

/** Lets nothing through that would change the storage: `put` and `delete` throw `ERR_REMOTE_READ_ONLY`. */
export function readOnly(storage: Storage): Storage {
  const refuse = (key: StorageKey): never => {
    throw new SluiceError('ERR_REMOTE_READ_ONLY', `${storage.description} is read-only, so ${key} was not written`, {
      hint: 'Push to another remote with `--remote NAME`, or remove `readOnly` in sluice.json.',
    });
  };
  return {
    description: storage.description,
    durable: storage.durable,
    stat: (key, options) => storage.stat(key, options),
    get: (key, range, options) => storage.get(key, range, options),
    put: async (key) => refuse(key),
    ...(storage.list === undefined ? {} : { list: storage.list.bind(storage) }),
    delete: async (key) => refuse(key),
  };
}
