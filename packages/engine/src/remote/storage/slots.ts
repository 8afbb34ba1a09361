import { throwIfAborted } from '../../errors.js';

/** A number of slots that calls take and give back; who finds too few waits in the order of coming. */
export interface Slots {
  /** Runs a call while it holds `count` slots. Throws `ERR_INTERRUPTED` if the signal fires before it has them. */
  hold<T>(count: number, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T>;
  /** Takes slots for as long as the caller wants; the answer gives them back. */
  take(count: number): Promise<() => void>;
}

/** Makes `most` slots. Who asks for more gets all of them. */
export function slots(most: number): Slots {
  const waiting: { readonly count: number; readonly start: () => void }[] = [];
  let free = most;
  const startWaiting = (): void => {
    for (let first = waiting[0]; first !== undefined && first.count <= free; first = waiting[0]) {
      free -= first.count;
      waiting.shift();
      first.start();
    }
  };
  const take = async (wanted: number): Promise<() => void> => {
    const count = Math.min(wanted, most);
    await new Promise<void>((start) => {
      waiting.push({ count, start });
      startWaiting();
    });
    let held = true;
    return () => {
      if (held) free += count;
      held = false;
      startWaiting();
    };
  };
  return {
    take,
    hold: async (count, signal, call) => {
      const giveBack = await take(count);
      try {
        throwIfAborted(signal);
        return await call();
      } finally {
        giveBack();
      }
    },
  };
}
