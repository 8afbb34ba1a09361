import type { LoadedPack } from '../catalog.js';
import { type Inventory, packedKind } from './inventory.js';
import { claimOf, type Marks } from './mark.js';

/** What claims each object of an inventory, in its order: marks looked up once, and then read by place. */
export interface Claims {
  readonly loose: Uint8Array;
  readonly packs: readonly Uint8Array[];
}

export function claimObjects({ loose, packs }: Inventory, marks: Marks): Claims {
  return {
    loose: Uint8Array.from(loose, ({ kind, raw }) => claimOf(marks, kind, raw)),
    packs: packs.map((pack) => claimRows(pack, marks)),
  };
}

function claimRows({ index }: LoadedPack, marks: Marks): Uint8Array {
  const claims = new Uint8Array(index.count);
  for (let row = 0; row < claims.length; row++) {
    claims[row] = claimOf(marks, packedKind(index.entry(row).kind), index.raw(row));
  }
  return claims;
}
