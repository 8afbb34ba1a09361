import { setImmediate as turn } from 'node:timers/promises';
import { throwIfAborted } from '../../errors.js';
import type { Emit } from '../../events.js';

/** Counts what was checked, lets the rest of the process have its turns, and stops when it is told to. */
export interface Progress {
  /** More objects, of which so many bytes were read. */
  add(objects: number, bytes: number): Promise<void>;
  /** The last event, with equal counts on both sides. */
  end(): void;
  readonly objects: number;
  readonly bytes: number;
}

const BYTES_PER_TURN = 16 * 1024 * 1024;
const OBJECTS_PER_TURN = 5000;

export function createProgress(
  total: { readonly objects: number; readonly bytes: number },
  emit: Emit | undefined,
  signal: AbortSignal | undefined,
): Progress {
  let objects = 0;
  let bytes = 0;
  let next = { objects: OBJECTS_PER_TURN, bytes: BYTES_PER_TURN };
  const tell = (totalFiles: number, totalBytes: number): void =>
    emit?.({ type: 'progress', phase: 'checking', subject: 'store', files: objects, totalFiles, bytes, totalBytes });
  return {
    add: async (more, read) => {
      objects += more;
      bytes += read;
      if (objects < next.objects && bytes < next.bytes) return;
      next = { objects: objects + OBJECTS_PER_TURN, bytes: bytes + BYTES_PER_TURN };
      // Writers may have added some since the total was taken.
      tell(Math.max(total.objects, objects), Math.max(total.bytes, bytes));
      await turn();
      throwIfAborted(signal);
    },
    end: () => tell(objects, bytes),
    get objects() {
      return objects;
    },
    get bytes() {
      return bytes;
    },
  };
}
