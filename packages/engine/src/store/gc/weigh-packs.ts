import type { Catalog, LoadedPack } from '../catalog.js';
import type { Claims } from './claims.js';
import { EarlierPlaces } from './earlier-place.js';
import { type Inventory, kindIn } from './inventory.js';
import { DEAD } from './mark.js';
import type { PackWorth } from './plan-packs.js';

/** What each pack of an inventory is worth, in the same order. */
export interface WeighedPacks {
  /** Where each live object has its home; its other copies can go. */
  readonly homes: EarlierPlaces;
  readonly worth: readonly PackWorth[];
}

/**
 * Gives each live object one home: a loose file if there is one, else the pack with the least garbage, since the others are likelier to be
 * rewritten.
 */
export function weighPacks(catalog: Catalog, inventory: Inventory, claims: Claims): WeighedPacks {
  const { packs } = inventory;
  const dead = claims.packs.map((column) => column.reduce((sum, claim) => sum + (claim === DEAD ? 1 : 0), 0));
  const order = packs.map((_, number) => number);
  order.sort((a, b) => (dead[a] ?? 0) - (dead[b] ?? 0) || (packs[b]?.index.count ?? 0) - (packs[a]?.index.count ?? 0));
  const homes = new EarlierPlaces(inventory, order, true, (pack, raw) => !catalog.isSetAside(pack, raw));
  const worth = packs.map((pack, number) => weigh(catalog, pack, number, claims.packs[number] ?? NONE, homes));
  return { homes, worth };
}

const NONE = new Uint8Array(0);

function weigh(
  catalog: Catalog,
  pack: LoadedPack,
  number: number,
  claims: Uint8Array,
  homes: EarlierPlaces,
): PackWorth {
  const kind = kindIn(pack);
  let liveBytes = 0;
  let live = 0;
  let dead = 0;
  let redundant = 0;
  let pinned = false;
  for (let row = 0; row < claims.length; row++) {
    if (claims[row] === DEAD) dead++;
    else if (catalog.hasSetAside && catalog.isSetAside(pack, pack.index.raw(row))) {
      dead++;
      pinned ||= !catalog.has(kind, pack.index.raw(row));
    } else if (homes.before(number, kind, () => pack.index.raw(row)) !== undefined) redundant++;
    else {
      live++;
      liveBytes += pack.index.entry(row).stored;
    }
  }
  const content = kind === 'blob' ? 'blobs' : 'trees';
  return { name: pack.name, content, bytes: pack.bytes, liveBytes, live, dead, redundant, pinned };
}
