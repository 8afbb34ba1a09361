import type { Encoder } from '../store/encoder.js';
import type { Store } from '../store/store.js';
import type { Bulk } from './bulk.js';

/** Does work on the bytes of a store in threads. */
export function bulkEncoder(bulk: Bulk, store: Store): Encoder {
  return {
    encodePack: (pack) => {
      const bytes = pack.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      return bulk.idlest(bytes).ask({ do: 'encode', pack });
    },
    cutBlob: (blob) => bulk.idlest(blob.size).ask({ do: 'cut', storeDir: store.layout.dir, blob }),
  };
}
