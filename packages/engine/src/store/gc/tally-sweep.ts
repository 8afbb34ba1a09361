import { NODE_PART } from '../../model/pack.js';
import type { ObjectKind } from '../layout.js';
import { type Inventory, packedKind } from './inventory.js';
import { claimOf, LIVE, type Marks, UNPUSHED } from './mark.js';
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
export function tallySweep({ loose, packs }: Inventory, marks: Marks, staying: ReadonlySet<string>): SweepTally {
  const removed = new Tallier();
  const kept = new Tallier();
  const keptUnpushed = new Tallier();
  const left = new Tallier();
  // First the packs that stay: an object that dies in another place but lies here too is not removed.
  for (const pack of [...packs].sort((a, b) => Number(staying.has(b.name)) - Number(staying.has(a.name)))) {
    const dead = staying.has(pack.name) ? left : removed;
    for (let row = 0; row < pack.index.count; row++) {
      const entry = pack.index.entry(row);
      const raw = pack.index.raw(row);
      const kind = packedKind(entry.kind);
      count(claimOf(marks, kind, raw), dead, kind, entry.kind === NODE_PART, entry.full, raw);
    }
  }
  for (const { kind, raw, part, bytes } of loose) count(claimOf(marks, kind, raw), removed, kind, part, bytes, raw);
  return { removed: removed.result(), kept: kept.result(), keptUnpushed: keptUnpushed.result(), left: left.result() };

  function count(claim: number, dead: Tallier, kind: ObjectKind, part: boolean, bytes: number, raw: Buffer): void {
    if (claim === LIVE) kept.add(kind, part, bytes, raw);
    else if (claim === UNPUSHED) keptUnpushed.add(kind, part, bytes, raw);
    else if (dead === left || !left.has(kind, raw)) dead.add(kind, part, bytes, raw);
  }
}
