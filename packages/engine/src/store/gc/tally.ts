import { DigestTable } from '../../model/digest-table.js';
import type { ObjectKind } from '../layout.js';

/** Distinct objects: a split directory is one tree, `bytes` are those of the blobs before packing. */
export interface Tally {
  readonly blobs: number;
  readonly trees: number;
  readonly bytes: number;
}

/** Counts objects, each digest once however many copies there are. */
export class Tallier {
  private blobs = 0;
  private trees = 0;
  private bytes = 0;
  private readonly seen: Readonly<Record<ObjectKind, DigestTable>> = {
    blob: new DigestTable(),
    tree: new DigestTable(),
  };

  has(kind: ObjectKind, raw: Buffer): boolean {
    return this.seen[kind].has(raw);
  }

  /** Counts an object unless it was counted before. */
  add(kind: ObjectKind, part: boolean, bytes: number, raw: Buffer): void {
    if (!this.seen[kind].set(raw)) return;
    if (kind === 'blob') {
      this.blobs++;
      this.bytes += bytes;
    } else if (!part) this.trees++;
  }

  result(): Tally {
    return { blobs: this.blobs, trees: this.trees, bytes: this.bytes };
  }
}
