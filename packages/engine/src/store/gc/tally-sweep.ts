import { NODE_PART } from '../../model/pack.js';
import type { Claims } from './claims.js';
import { EarlierPlaces } from './earlier-place.js';
import { type Inventory, kindIn } from './inventory.js';
import { LIVE, UNPUSHED } from './mark.js';
import { Tallier, type Tally } from './tally.js';

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
  const byClaim = (claim: number | undefined, dead: Tallier): Tallier =>
    claim === LIVE ? kept : claim === UNPUSHED ? keptUnpushed : dead;
  const { packs } = inventory;
  // First the packs that stay: an object that dies elsewhere but lies there too is not removed. Then the largest, which are searched least.
  const order = packs.map((_, number) => number);
  const stays = (number: number): boolean => staying.has(packs[number]?.name ?? '');
  order.sort(
    (a, b) => Number(stays(b)) - Number(stays(a)) || (packs[b]?.index.count ?? 0) - (packs[a]?.index.count ?? 0),
  );
  const places = new EarlierPlaces(inventory, order, false);
  for (const [number, pack] of packs.entries()) {
    const kind = kindIn(pack);
    const dead = stays(number) ? left : removed;
    for (let row = 0; row < pack.index.count; row++) {
      if (places.before(number, kind, () => pack.index.raw(row)) !== undefined) continue;
      const entry = pack.index.entry(row);
      byClaim(claims.packs[number]?.[row], dead).add(kind, entry.kind === NODE_PART, entry.full);
    }
  }
  inventory.loose.forEach(({ kind, raw, part, bytes }, i) => {
    if (places.anywhere(kind, () => raw) === undefined) byClaim(claims.loose[i], removed).add(kind, part, bytes);
  });
  return { removed: removed.result(), kept: kept.result(), keptUnpushed: keptUnpushed.result(), left: left.result() };
}
