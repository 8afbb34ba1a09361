import type { Encoder } from '../store/encoder.js';
import type { Bulk } from './bulk.js';

/** Does work on bytes in threads. */
export function bulkEncoder(bulk: Bulk): Encoder {
  return {
    encodePack: (pack) => {
      const bytes = pack.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      return bulk.idlest(bytes).ask({ do: 'encode', pack });
    },
  };
}
