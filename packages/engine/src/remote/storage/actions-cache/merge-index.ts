import type { StorageKey } from '../port.js';
import type { CacheRow } from './cache-index.js';

/** What a job adds to the index of its scope. */
export interface CacheChanges {
  /** `ifAbsent`: what is there already stays. */
  readonly added: ReadonlyMap<StorageKey, { readonly row: CacheRow; readonly ifAbsent: boolean }>;
  /** Objects that it had a use for. */
  readonly used: ReadonlySet<StorageKey>;
  /** Entries with data that are gone. */
  readonly lost: ReadonlySet<string>;
}

/** How much an index may hold. */
export interface IndexLimits {
  readonly mostRows: number;
  /** Bytes of objects in the index itself. What is more goes to an entry with data, what was not used for longest first. */
  readonly inlineBytes: number;
}

/** What the next index holds, and which of its objects are too many to lie in it. */
export interface MergedIndex {
  readonly rows: Map<StorageKey, CacheRow>;
  readonly tooMany: readonly StorageKey[];
}

/** The rows of the next index, number `generation`. Objects that nobody used for longest are left out where there are too many; then they are missed, and made again. */
export function mergeIndex(
  base: ReadonlyMap<StorageKey, CacheRow>,
  { added, used, lost }: CacheChanges,
  generation: number,
  { mostRows, inlineBytes }: IndexLimits,
): MergedIndex {
  const all = new Map<StorageKey, CacheRow>();
  for (const [key, row] of base) {
    if (row.place.kind === 'data' && lost.has(row.place.name)) continue;
    all.set(key, used.has(key) ? { ...row, usedIn: generation } : row);
  }
  for (const [key, { row, ifAbsent }] of added) {
    if (!(ifAbsent && all.has(key))) all.set(key, { ...row, usedIn: generation });
  }
  const latestFirst = [...all].sort(([, a], [, b]) => b.usedIn - a.usedIn).slice(0, mostRows);
  const tooMany: StorageKey[] = [];
  let bytes = 0;
  for (const [key, { place, bytes: size }] of latestFirst) {
    if (place.kind !== 'inline') continue;
    bytes += size;
    // Down to half, so that not every index moves something out.
    if (bytes > inlineBytes / 2) tooMany.push(key);
  }
  return { rows: new Map(latestFirst), tooMany: bytes > inlineBytes ? tooMany : [] };
}
