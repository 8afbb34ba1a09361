import { DigestTable } from '../../model/digest-table.js';
import type { ObjectKind } from '../layout.js';
import { type Inventory, packedKind } from './inventory.js';

/** Distinct objects: a split directory is one tree, `bytes` are those of the blobs before packing. */
export interface Tally {
  readonly blobs: number;
  readonly trees: number;
  readonly bytes: number;
}

/** Counts objects. */
export class Tallier {
  private blobs = 0;
  private trees = 0;
  private bytes = 0;

  add(kind: ObjectKind, part: boolean, bytes: number): void {
    if (kind === 'blob') {
      this.blobs++;
      this.bytes += bytes;
    } else if (!part) this.trees++;
  }

  result(): Tally {
    return { blobs: this.blobs, trees: this.trees, bytes: this.bytes };
  }
}

/** Says whether an object is met for the first time, so that it counts once however many copies there are. Its digest is not always asked for. */
export type IsFirst = (kind: ObjectKind, raw: () => Buffer) => boolean;

/**
 * A fresh {@link IsFirst} for one pass over an inventory. A pack names an object once, so nothing has to be remembered about a kind of which all
 * objects lie in one pack.
 */
export function firstMeetings({ loose, packs }: Inventory): IsFirst {
  const seen = { blob: seenOf('blob'), tree: seenOf('tree') };
  return (kind, raw) => seen[kind]?.set(raw()) ?? true;

  function seenOf(kind: ObjectKind): DigestTable | undefined {
    const holders = packs.filter(({ index }) => index.count > 0 && packedKind(index.entry(0).kind) === kind);
    const others = loose.some((object) => object.kind === kind) ? 1 : 0;
    if (holders.length + others < 2) return undefined;
    return new DigestTable(holders.reduce((sum, { index }) => sum + index.count, loose.length));
  }
}
