import { DigestTable } from '../../model/digest-table.js';
import { BLOB } from '../../model/pack.js';
import type { Catalog, LoadedPack } from '../catalog.js';
import type { ObjectKind } from '../layout.js';
import { type Inventory, packedKind } from './inventory.js';
import { claimOf, DEAD, type Marks } from './mark.js';
import type { PackWorth } from './plan-packs.js';

/** Where each live object has its home: the number of a pack in the inventory, or {@link LOOSE_HOME}. */
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
export function weighPacks(catalog: Catalog, { loose, packs }: Inventory, marks: Marks): WeighedPacks {
  const homes: Homes = { blob: new DigestTable(), tree: new DigestTable() };
  for (const { kind, raw } of loose) if (claimOf(marks, kind, raw) !== DEAD) homes[kind].set(raw, 0, LOOSE_HOME);
  const claims = packs.map((pack) => claimsOf(pack, marks));
  const dead = claims.map((column) => column.reduce((sum, claim) => sum + (claim === DEAD ? 1 : 0), 0));
  const order = packs.map((_, number) => number);
  order.sort((a, b) => (dead[a] ?? 0) - (dead[b] ?? 0) || (claims[b]?.length ?? 0) - (claims[a]?.length ?? 0));
  const worth: PackWorth[] = [];
  for (const number of order) {
    const pack = packs[number];
    const column = claims[number];
    if (pack !== undefined && column !== undefined) worth[number] = weigh(catalog, pack, number, column, homes);
  }
  return { homes, worth };
}

function claimsOf(pack: LoadedPack, marks: Marks): Uint8Array {
  const claims = new Uint8Array(pack.index.count);
  for (let row = 0; row < claims.length; row++) {
    claims[row] = claimOf(marks, packedKind(pack.index.entry(row).kind), pack.index.raw(row));
  }
  return claims;
}

function weigh(catalog: Catalog, pack: LoadedPack, number: number, claims: Uint8Array, homes: Homes): PackWorth {
  let liveBytes = 0;
  let live = 0;
  let dead = 0;
  let redundant = 0;
  let pinned = false;
  for (let row = 0; row < claims.length; row++) {
    const { kind, stored } = pack.index.entry(row);
    const raw = pack.index.raw(row);
    if (claims[row] === DEAD) dead++;
    else if (catalog.isSetAside(pack, raw)) {
      dead++;
      pinned ||= !catalog.has(packedKind(kind), raw);
    } else if (homeHere(homes[packedKind(kind)], raw, number)) {
      live++;
      liveBytes += stored;
    } else redundant++;
  }
  const content = claims.length > 0 && pack.index.entry(0).kind !== BLOB ? 'trees' : 'blobs';
  return { name: pack.name, content, bytes: pack.bytes, liveBytes, live, dead, redundant, pinned };
}

function homeHere(homes: DigestTable, raw: Buffer, number: number): boolean {
  const home = homes.get(raw);
  if (home === undefined) homes.set(raw, 0, number);
  return home === undefined || home === number;
}
