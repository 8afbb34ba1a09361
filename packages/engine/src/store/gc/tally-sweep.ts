import { NODE_PART } from '../../model/pack.js';
import type { Claims } from './claims.js';
import { type Inventory, packedKind } from './inventory.js';
import { LIVE, UNPUSHED } from './mark.js';
import { firstMeetings, Tallier, type Tally } from './tally.js';

/** What a collection does with an inventory, counted. */
export interface SweepTally {
  readonly removed: Tally;
  readonly kept: Tally;
  readonly keptUnpushed: Tally;
  /** Dead objects in packs that stay for a later run. */
  readonly left: Tally;
}

/** Counts an inventory by what claims its objects. `staying` are the packs whose dead objects are not removed. */
export function tallySweep(inventory: Inventory, claims: Claims, staying: ReadonlySet<string>): SweepTally {
  const removed = new Tallier();
  const kept = new Tallier();
  const keptUnpushed = new Tallier();
  const left = new Tallier();
  const isFirst = firstMeetings(inventory);
  const byClaim = (claim: number | undefined, dead: Tallier): Tallier =>
    claim === LIVE ? kept : claim === UNPUSHED ? keptUnpushed : dead;
  // First the packs that stay: an object that dies elsewhere but lies there too is not removed.
  const order = inventory.packs.map((pack, number) => ({ pack, number, stays: staying.has(pack.name) }));
  for (const { pack, number, stays } of order.sort((a, b) => Number(b.stays) - Number(a.stays))) {
    for (let row = 0; row < pack.index.count; row++) {
      const { kind, full } = pack.index.entry(row);
      if (!isFirst(packedKind(kind), () => pack.index.raw(row))) continue;
      byClaim(claims.packs[number]?.[row], stays ? left : removed).add(packedKind(kind), kind === NODE_PART, full);
    }
  }
  inventory.loose.forEach(({ kind, raw, part, bytes }, i) => {
    if (isFirst(kind, () => raw)) byClaim(claims.loose[i], removed).add(kind, part, bytes);
  });
  return { removed: removed.result(), kept: kept.result(), keptUnpushed: keptUnpushed.result(), left: left.result() };
}
