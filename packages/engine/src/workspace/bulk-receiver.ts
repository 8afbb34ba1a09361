import type { Receiver } from '../store/receiver.js';
import type { Bulk } from './bulk.js';

/** Receives files in threads: all of one file in the same. */
export function bulkReceiver(bulk: Bulk): Receiver {
  return {
    open: (path, size) => {
      const lane = bulk.idlest(size);
      return {
        write: async (bytes, offset) => {
          const back = await lane.ask({ do: 'receive', path, offset, bytes });
          return Buffer.from(back.buffer, back.byteOffset, back.byteLength);
        },
        finish: async () => (await lane.ask({ do: 'finish-receiving', path, size })) ?? undefined,
        close: async () => {
          await lane.ask({ do: 'stop-receiving', path });
        },
      };
    },
  };
}
