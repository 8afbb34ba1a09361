import type { ObjectKind } from '../layout.js';

/** Distinct objects: a split directory is one tree, `bytes` are those of the blobs before packing. */
export interface Tally {
  readonly blobs: number;
  readonly trees: number;
  readonly bytes: number;
}

/** Counts objects; the caller passes each once. */
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
