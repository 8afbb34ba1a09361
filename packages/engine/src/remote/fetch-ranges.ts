import type { Storage, StorageKey } from './storage/port.js';

/** A range of an object that is asked for with one request, and what becomes of it. */
export interface WantedRange {
  readonly key: StorageKey;
  readonly offset: number;
  readonly length: number;
  /** Called when its bytes are there, before those of earlier ranges perhaps. */
  readonly arrived?: ((bytes: Buffer) => void) | undefined;
  /** Called in the order of the ranges; `undefined`: there is no such object. */
  readonly take: (bytes: Buffer | undefined) => void;
}

/** Bytes that are asked for or wait for their turn, together. One range that is larger comes alone. */
const MEMORY_BYTES = 32 * 1024 * 1024;
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
  const coming: { readonly range: WantedRange; readonly bytes: Promise<Buffer | undefined> }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let memory = 0;
  let next = await source.next();
  try {
    while (next.done !== true || coming.length > 0) {
      while (next.done !== true && failure === undefined && hasRoom(coming.length, memory + next.value.length)) {
        memory += next.value.length;
        coming.push({ range: next.value, bytes: fetchRange(storage, next.value, signal) });
        next = await source.next();
      }
      const first = coming.shift();
      if (first === undefined) break;
      try {
        first.range.take(await first.bytes);
      } catch (error) {
        failure ??= { error };
      }
      memory -= first.range.length;
    }
  } finally {
    await Promise.allSettled(coming.map(({ bytes }) => bytes));
    await source.return?.();
  }
  if (failure !== undefined) throw failure.error;
}

function hasRoom(running: number, bytes: number): boolean {
  return running === 0 || (running < MOST_RANGES && bytes <= MEMORY_BYTES);
}

function fetchRange(
  storage: Storage,
  range: WantedRange,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  const { key, offset, length, arrived } = range;
  const coming = storage.get(key, { offset, length }, { signal }).then((bytes) => {
    if (bytes !== undefined) arrived?.(bytes);
    return bytes;
  });
  // It is awaited in its turn; until then its failure must not count as unhandled.
  coming.catch(() => {});
  return coming;
}
