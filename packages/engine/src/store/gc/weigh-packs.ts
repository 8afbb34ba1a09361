import { DigestTable } from '../../model/digest-table.js';
import { BLOB } from '../../model/pack.js';
import type { Catalog, LoadedPack } from '../catalog.js';
import type { ObjectKind } from '../layout.js';
import type { Claims } from './claims.js';
import { type Inventory, packedKind } from './inventory.js';
import { DEAD } from './mark.js';
import type { PackWorth } from './plan-packs.js';

/** Where live objects with several copies have their home: the number of a pack in the inventory, or {@link LOOSE_HOME}. */
export type Homes = Readonly<Record<ObjectKind, DigestTable>>;

/** The number of a home that is a loose file. */
export const LOOSE_HOME = -1;

/** What each pack of an inventory is worth, in the same order. */
export interface WeighedPacks {
  readonly homes: Homes;
  readonly worth: readonly PackWorth[];
}

/**
 * Gives each live object one home, so that its other copies can go: a loose file if there is one, else the pack with the least garbage, since
 * the others are likelier to be rewritten.
 */
export function weighPacks(catalog: Catalog, { loose, packs }: Inventory, claims: Claims): WeighedPacks {
  const homes: Homes = { blob: new DigestTable(), tree: new DigestTable() };
  loose.forEach(({ kind, raw }, i) => {
    if (claims.loose[i] !== DEAD) homes[kind].set(raw, 0, LOOSE_HOME);
  });
  const dead = claims.packs.map((column) => column.reduce((sum, claim) => sum + (claim === DEAD ? 1 : 0), 0));
  const order = packs.map((_, number) => number);
  order.sort((a, b) => (dead[a] ?? 0) - (dead[b] ?? 0) || (packs[b]?.index.count ?? 0) - (packs[a]?.index.count ?? 0));
  const worth: PackWorth[] = [];
  order.forEach((number, i) => {
    const pack = packs[number];
    const column = claims.packs[number];
    if (pack === undefined || column === undefined) return;
    const later = order.slice(i + 1).flatMap((other) => packs[other] ?? []);
    worth[number] = weigh(
      catalog,
      pack,
      number,
      column,
      homes,
      later.some((other) => contentOf(other) === contentOf(pack)),
    );
  });
  return { homes, worth };
}

/** With `remember` the homes are noted for the packs that are still to come. */
function weigh(
  catalog: Catalog,
  pack: LoadedPack,
  number: number,
  claims: Uint8Array,
  homes: Homes,
  remember: boolean,
): PackWorth {
  let liveBytes = 0;
  let live = 0;
  let dead = 0;
  let redundant = 0;
  let pinned = false;
  const known = contentOf(pack) === 'trees' ? homes.tree : homes.blob;
  for (let row = 0; row < claims.length; row++) {
    if (claims[row] === DEAD) dead++;
    else if (catalog.hasSetAside && catalog.isSetAside(pack, pack.index.raw(row))) {
      dead++;
      pinned ||= !catalog.has(packedKind(pack.index.entry(row).kind), pack.index.raw(row));
    } else if (known.size > 0 && known.has(pack.index.raw(row))) redundant++;
    else {
      if (remember) known.set(pack.index.raw(row), 0, number);
      live++;
      liveBytes += pack.index.entry(row).stored;
    }
  }
  return { name: pack.name, content: contentOf(pack), bytes: pack.bytes, liveBytes, live, dead, redundant, pinned };
}

function contentOf({ index }: LoadedPack): PackWorth['content'] {
  return index.count > 0 && index.entry(0).kind !== BLOB ? 'trees' : 'blobs';
}
