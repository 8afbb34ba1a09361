import { DigestTable } from '../../model/digest-table.js';
import { NODE, NODE_PART, PACK_TRAILER_BYTES, type PackIndex, packTailBytes, parsePackTail } from '../../model/pack.js';
import { parseKey } from '../keys.js';
import { inParallel } from '../parallel.js';
import type { ListedObject, Storage, StorageKey } from '../storage/port.js';
import { isDamage } from './map-shelf.js';
import type { Usage } from './usage.js';

/** Distinct blobs and trees, with the bytes of the blobs. */
export interface GcSum {
  readonly blobs: number;
  readonly trees: number;
  readonly bytes: number;
}

/** Most indexes come with the first request. */
const TAIL_BYTES = 64 * 1024;
const MOST_REQUESTS = 16;

/** The indexes of packs; one that is damaged has none. Throws `ERR_FORMAT_VERSION` and what the storage throws. */
export async function readIndexes(
  storage: Storage,
  packs: readonly ListedObject[],
  signal: AbortSignal | undefined,
): Promise<Map<StorageKey, PackIndex>> {
  const found = await inParallel(packs, MOST_REQUESTS, async (pack): Promise<[StorageKey, PackIndex][]> => {
    try {
      const index = await readIndex(storage, pack, signal);
      return index === undefined ? [] : [[pack.key, index]];
    } catch (error) {
      if (isDamage(error)) return [];
      throw error;
    }
  });
  return new Map(found.flat());
}

async function readIndex(
  storage: Storage,
  { key, bytes: size }: ListedObject,
  signal: AbortSignal | undefined,
): Promise<PackIndex | undefined> {
  const end = async (length: number): Promise<Buffer | undefined> =>
    storage.get(key, { offset: Math.max(0, size - length), length: Math.min(length, size) }, { signal });
  const first = await end(TAIL_BYTES);
  if (first === undefined) return undefined;
  const trailer = first.subarray(Math.max(0, first.length - PACK_TRAILER_BYTES));
  const length = packTailBytes(trailer, size, key);
  const tail = length <= first.length ? first.subarray(first.length - length) : await end(length);
  return tail === undefined ? undefined : parsePackTail(tail, size, key);
}

/** Counts objects of packs and large blobs, each once, over all calls. */
export class GcCounter {
  private readonly blobs = new DigestTable();
  private readonly trees = new DigestTable();
  private readonly indexes: ReadonlyMap<StorageKey, PackIndex>;

  constructor(indexes: ReadonlyMap<StorageKey, PackIndex>) {
    this.indexes = indexes;
  }

  /** What of these packs and blobs was not counted before; of a pack that `usage` knows, and that is not pinned, only what is needed. */
  count(objects: Iterable<ListedObject>, usage?: Usage): GcSum {
    const sum = { blobs: 0, trees: 0, bytes: 0 };
    for (const { key, bytes } of objects) {
      const parts = parseKey(key);
      if (parts?.kind === 'blobs' && this.blobs.set(parts.raw)) {
        sum.blobs++;
        sum.bytes += bytes;
      }
      const index = this.indexes.get(key);
      if (parts?.kind !== 'packs' || index === undefined) continue;
      const needed = usage?.pinned.has(key) === true ? undefined : usage?.packs.get(key);
      for (let row = 0; row < index.count; row++) {
        const { kind, full, offset } = index.entry(row);
        if (kind === NODE_PART || (needed !== undefined && !needed.has(offset))) continue;
        const isNew = (kind === NODE ? this.trees : this.blobs).set(index.raw(row));
        if (!isNew) continue;
        if (kind === NODE) sum.trees++;
        else {
          sum.blobs++;
          sum.bytes += full;
        }
      }
    }
    return sum;
  }
}
