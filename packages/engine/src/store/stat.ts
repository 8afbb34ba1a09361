import { NODE_PART } from '../model/pack.js';
import { packedKind, takeInventory } from './gc/inventory.js';
import { firstMeetings, Tallier } from './gc/tally.js';
import { countRecords } from './records.js';
import type { Store } from './store.js';

/** What a store holds: distinct objects wherever they lie; a split directory is one tree, `bytes` are those of the blobs. */
export interface StoreStat {
  readonly objects: number;
  readonly blobs: number;
  readonly trees: number;
  readonly records: number;
  readonly bytes: number;
}

/** Counts what can be served; trash, temporary files and what was set aside as damaged are left out. */
export function storeStat(store: Store): StoreStat {
  const inventory = takeInventory(store);
  const isFirst = firstMeetings(inventory);
  const tallier = new Tallier();
  for (const { kind, part, bytes, raw } of inventory.loose)
    if (isFirst(kind, () => raw)) tallier.add(kind, part, bytes);
  for (const pack of inventory.packs) {
    for (let row = 0; row < pack.index.count; row++) {
      const { kind, full } = pack.index.entry(row);
      const raw = pack.index.raw(row);
      if (store.reader.catalog.isSetAside(pack, raw) || !isFirst(packedKind(kind), () => raw)) continue;
      tallier.add(packedKind(kind), kind === NODE_PART, full);
    }
  }
  const { blobs, trees, bytes } = tallier.result();
  return { objects: blobs + trees, blobs, trees, records: countRecords(store), bytes };
}
