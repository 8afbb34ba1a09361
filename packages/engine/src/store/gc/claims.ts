import type { LoadedPack } from '../catalog.js';
import { type Inventory, kindIn } from './inventory.js';
import { claimOf, type Marks } from './mark.js';

/** What claims each object of an inventory, in its order: marks looked up once, and then read by place. */
export interface Claims {
  readonly loose: Uint8Array;
  readonly packs: readonly Uint8Array[];
}

/** Looks up what claims the objects of an inventory. */
export function claimObjects({ loose, packs }: Inventory, marks: Marks): Claims {
  return {
    loose: Uint8Array.from(loose, ({ kind, raw }) => claimOf(marks, kind, raw)),
    packs: packs.map((pack) => claimRows(pack, marks)),
  };
}

function claimRows(pack: LoadedPack, marks: Marks): Uint8Array {
  const claims = new Uint8Array(pack.index.count);
  const kind = kindIn(pack);
  for (let row = 0; row < claims.length; row++) claims[row] = claimOf(marks, kind, pack.index.raw(row));
  return claims;
}
