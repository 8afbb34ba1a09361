import { NODE_PART } from '../model/pack.js';
import { EarlierPlaces } from './gc/earlier-place.js';
import { kindIn, takeInventory } from './gc/inventory.js';
import { Tallier } from './gc/tally.js';
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
  const { catalog } = store.reader;
  const inventory = takeInventory(store);
  const order = inventory.packs.map((_, number) => number);
  order.sort((a, b) => (inventory.packs[b]?.index.count ?? 0) - (inventory.packs[a]?.index.count ?? 0));
  const places = new EarlierPlaces(inventory, order, true, (pack, raw) => !catalog.isSetAside(pack, raw));
  const tallier = new Tallier();
  for (const { kind, part, bytes } of inventory.loose) tallier.add(kind, part, bytes);
  for (const [number, pack] of inventory.packs.entries()) {
    const kind = kindIn(pack);
    for (let row = 0; row < pack.index.count; row++) {
      if (catalog.hasSetAside && catalog.isSetAside(pack, pack.index.raw(row))) continue;
      if (places.before(number, kind, () => pack.index.raw(row)) !== undefined) continue;
      const entry = pack.index.entry(row);
      tallier.add(kind, entry.kind === NODE_PART, entry.full);
    }
  }
  const { blobs, trees, bytes } = tallier.result();
  return { objects: blobs + trees, blobs, trees, records: countRecords(store), bytes };
}
