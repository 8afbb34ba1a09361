import type { Storage, StorageKey } from './storage/port.js';
import { WindowPool } from './window-pool.js';

/** A range of an object that is asked for with one request, and what becomes of it. */
export interface WantedRange {
  readonly key: StorageKey;
  readonly offset: number;
  readonly length: number;
  /** Called when its bytes are there, before those of earlier ranges perhaps. They are its own to give away; it returns them, where they are then. */
  readonly arrived?: ((bytes: Buffer) => Promise<Buffer>) | undefined;
  /** Called in the order of the ranges, after {@link arrived}; `undefined`: there is no such object. The bytes are gone when it has ended. */
  readonly take: (bytes: Buffer | undefined) => void | Promise<void>;
}

/** Bytes that are asked for or wait for their turn, together. One range that is larger comes alone. */
const MEMORY_BYTES = 24 * 1024 * 1024;
/** So many small ranges hide 50 ms of waiting from what comes at 1 Gbit/s. */
const MOST_RANGES = 64;

/**
 * Fetches ranges, as many at once as fit into memory, and hands them over in their order. After a failure nothing more is asked for, but what is
 * on its way is still handed over, so that it has not come for nothing; then the first failure is thrown.
 */
export async function fetchRanges(
  storage: Storage,
  ranges: AsyncIterable<WantedRange>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = ranges[Symbol.asyncIterator]();
  const pool = new WindowPool(MEMORY_BYTES);
  const coming: { readonly range: WantedRange; readonly answer: Promise<Answer> }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let memory = 0;
  let next = await source.next();
  try {
    while (next.done !== true || coming.length > 0) {
      while (next.done !== true && failure === undefined && hasRoom(coming.length, memory + next.value.length)) {
        memory += next.value.length;
        coming.push({ range: next.value, answer: fetchRange(storage, next.value, pool, signal) });
        next = await source.next();
      }
      const first = coming.shift();
      if (first === undefined) break;
      try {
        const { bytes, pooled } = await first.answer;
        await first.range.take(bytes);
        if (bytes !== undefined && pooled) pool.release(bytes);
      } catch (error) {
        failure ??= { error };
      }
      memory -= first.range.length;
    }
  } finally {
    await Promise.allSettled(coming.map(({ answer }) => answer));
    await source.return?.();
  }
  if (failure !== undefined) throw failure.error;
}

/** What came, and whether its memory is the pool's. */
interface Answer {
  readonly bytes: Buffer | undefined;
  readonly pooled: boolean;
}

function hasRoom(running: number, bytes: number): boolean {
  return running === 0 || (running < MOST_RANGES && bytes <= MEMORY_BYTES);
}

function fetchRange(
  storage: Storage,
  { key, offset, length, arrived }: WantedRange,
  pool: WindowPool,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const { allocate } = pool;
  const coming = storage.get(key, { offset, length }, { signal, allocate }).then(async (bytes) => {
    const pooled = bytes !== undefined && pool.owns(bytes);
    return { bytes: bytes === undefined ? undefined : ((await arrived?.(bytes)) ?? bytes), pooled };
  });
  // It is awaited in its turn; until then its failure must not count as unhandled.
  coming.catch(() => {});
  return coming;
}
