import { DigestTable } from '../model/digest-table.js';

/** Files, distinct objects and bytes of distinct blobs that were sent, or were on the remote already. */
export interface PushCounts {
  readonly files: { sent: number; reused: number };
  readonly objects: { sent: number; reused: number };
  readonly bytes: { sent: number; reused: number };
}

export function noPushCounts(): PushCounts {
  const none = (): { sent: number; reused: number } => ({ sent: 0, reused: 0 });
  return { files: none(), objects: none(), bytes: none() };
}

const REUSED = 0;
const SENT = 1;
/** Counted as part of a subtree that another map holds; the number above it is that of its trees. */
const REFERRED = 2;

/**
 * Counts objects once, however often roots name them. When something turns out to be gone and roots are walked again, what was thought to be reused moves to
 * what is sent.
 */
export class ObjectTally {
  private readonly counts: PushCounts;
  private readonly seen = { blob: new DigestTable(), tree: new DigestTable() };

  constructor(counts: PushCounts) {
    this.counts = counts;
  }

  /** `sentBytes`: of a blob in chunks, the bytes of those that were sent. */
  blob(raw: Buffer, rawAt: number, size: number, sent: boolean, sentBytes: number = sent ? size : 0): void {
    const before = this.seen.blob.get(raw, rawAt);
    if (before === SENT || (before === REUSED && !sent)) return;
    this.seen.blob.set(raw, rawAt, sent ? SENT : REUSED);
    const { objects, bytes } = this.counts;
    if (before === REUSED) {
      objects.reused--;
      bytes.reused -= size;
    }
    objects[sent ? 'sent' : 'reused']++;
    bytes.sent += sentBytes;
    bytes.reused += size - sentBytes;
  }

  /** Whether a blob was counted as sent. */
  isSent(raw: Buffer, rawAt: number): boolean {
    return this.seen.blob.get(raw, rawAt) === SENT;
  }

  /** A directory; the parts of a split one are not counted. `files` and `size` are what lies below it. */
  tree(raw: Buffer, files: number, size: number, sent: boolean): void {
    const before = this.seen.tree.get(raw);
    if (before === SENT || (before === REUSED && !sent)) return;
    this.seen.tree.set(raw, 0, sent ? SENT : REUSED);
    const { objects, bytes } = this.counts;
    if (before === REUSED) objects.reused--;
    if (before !== undefined && before >= REFERRED) {
      objects.reused -= files + before - REFERRED;
      bytes.reused -= size;
    }
    objects[sent ? 'sent' : 'reused']++;
  }

  /** A subtree that another map holds: counted by its entries, since it is not read. */
  subtree(raw: Buffer, files: number, size: number, trees: number): void {
    if (this.seen.tree.get(raw) !== undefined) return;
    this.seen.tree.set(raw, 0, REFERRED + trees);
    this.counts.objects.reused += files + trees;
    this.counts.bytes.reused += size;
  }
}
