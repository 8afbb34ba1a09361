import { DigestTable } from '../../model/digest-table.js';
import type { LoadedPack } from '../catalog.js';
import type { ObjectKind } from '../layout.js';
import { type Inventory, kindIn } from './inventory.js';

/** The place of a loose file among the packs of an inventory. */
export const LOOSE_PLACE = -1;

/** Up to this many packs are searched one after another: that costs less than a table of all that they hold. */
const FEW_PACKS = 6;

/**
 * Says where an object lies in front of a place of an order, so that of several copies one can be told from the others. Places are the numbers
 * of packs in the inventory and, where `withLoose` says so, {@link LOOSE_PLACE} in front of them all. `isUsable` can rule copies out.
 */
export class EarlierPlaces {
  private readonly packs: readonly LoadedPack[];
  private readonly isUsable: (pack: LoadedPack, raw: Buffer) => boolean;
  private readonly order: Readonly<Record<ObjectKind, readonly number[]>>;
  private readonly rank: Int32Array;
  private readonly loose: Readonly<Record<ObjectKind, DigestTable>> = {
    blob: new DigestTable(),
    tree: new DigestTable(),
  };
  private readonly first: Readonly<Record<ObjectKind, DigestTable | undefined>>;

  constructor(
    { loose, packs }: Inventory,
    order: readonly number[],
    withLoose: boolean,
    isUsable: (pack: LoadedPack, raw: Buffer) => boolean = () => true,
  ) {
    this.packs = packs;
    this.isUsable = isUsable;
    if (withLoose) for (const { kind, raw } of loose) this.loose[kind].set(raw);
    const ofKind = (kind: ObjectKind): number[] => order.filter((number) => kindOf(packs[number]) === kind);
    this.order = { blob: ofKind('blob'), tree: ofKind('tree') };
    this.rank = new Int32Array(packs.length);
    for (const numbers of [this.order.blob, this.order.tree]) {
      numbers.forEach((number, i) => {
        this.rank[number] = i;
      });
    }
    this.first = { blob: this.tableOf('blob'), tree: this.tableOf('tree') };
  }

  /** The first place in front of pack `number` that holds the object, or `undefined`. `raw` is not asked for when there is none to search. */
  before(number: number, kind: ObjectKind, raw: () => Buffer): number | undefined {
    return this.search(kind, this.rank[number] ?? 0, raw);
  }

  /** The first place of an object. */
  anywhere(kind: ObjectKind, raw: () => Buffer): number | undefined {
    return this.search(kind, this.order[kind].length, raw);
  }

  private search(kind: ObjectKind, end: number, asked: () => Buffer): number | undefined {
    if (end === 0 && this.loose[kind].size === 0) return undefined;
    const raw = asked();
    if (this.loose[kind].size > 0 && this.loose[kind].has(raw)) return LOOSE_PLACE;
    const table = this.first[kind];
    if (table !== undefined) {
      const rank = table.get(raw);
      return rank === undefined || rank >= end ? undefined : this.order[kind][rank];
    }
    for (let rank = 0; rank < end; rank++) {
      const number = this.order[kind][rank] ?? 0;
      const pack = this.packs[number];
      if (pack !== undefined && pack.index.find(raw) >= 0 && this.isUsable(pack, raw)) return number;
    }
    return undefined;
  }

  private tableOf(kind: ObjectKind): DigestTable | undefined {
    const order = this.order[kind];
    if (order.length <= FEW_PACKS) return undefined;
    const table = new DigestTable(order.reduce((sum, number) => sum + (this.packs[number]?.index.count ?? 0), 0));
    for (let rank = order.length - 1; rank >= 0; rank--) {
      const pack = this.packs[order[rank] ?? 0];
      for (let row = 0; pack !== undefined && row < pack.index.count; row++) {
        const raw = pack.index.raw(row);
        if (this.isUsable(pack, raw)) table.set(raw, 0, rank);
      }
    }
    return table;
  }
}

function kindOf(pack: LoadedPack | undefined): ObjectKind | undefined {
  return pack === undefined ? undefined : kindIn(pack);
}
