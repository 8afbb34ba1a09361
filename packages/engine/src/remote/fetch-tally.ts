import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { walkTree } from '../store/trees.js';

/** Files, distinct objects and bytes of distinct blobs that came or were here, and what a limit left out. */
export interface FetchCounts {
  readonly files: { received: number; reused: number };
  readonly objects: { received: number; reused: number };
  readonly bytes: { received: number; reused: number };
  readonly left: { files: number; bytes: number };
}

/** Whether a wanted object came, or was here before. */
export type Origin = 'received' | 'reused';

export function addFetchCounts(to: FetchCounts, more: FetchCounts): void {
  for (const what of ['files', 'objects', 'bytes'] as const) {
    to[what].received += more[what].received;
    to[what].reused += more[what].reused;
  }
  to.left.files += more.left.files;
  to.left.bytes += more.left.bytes;
}

/** Counts a fetch whose roots may take several attempts: only the last attempt at a root counts, but what an earlier one brought was received. */
export class FetchTally {
  total: FetchCounts = noCounts();
  private readonly came = { blob: new DigestTable(), tree: new DigestTable() };
  private counted = { blob: new DigestTable(), tree: new DigestTable() };
  private firstAttempt = 0;
  private attempts = 0;

  /** Everything is walked once more; what has come stays received. */
  restart(): void {
    this.total = noCounts();
    this.counted = { blob: new DigestTable(), tree: new DigestTable() };
  }

  beginWant(): void {
    this.firstAttempt = this.attempts + 1;
  }

  beginAttempt(): Attempt {
    const number = ++this.attempts;
    const { came, counted, firstAttempt } = this;
    const isFirst = (kind: 'blob' | 'tree', raw: Buffer, rawAt: number): boolean => {
      const before = counted[kind].get(raw, rawAt);
      // An earlier attempt at the same root does not count.
      if (before !== undefined && (before === number || before < firstAttempt)) return false;
      counted[kind].set(raw, rawAt, number);
      return true;
    };
    return new Attempt(came, isFirst, this.total);
  }
}

/** The counts of one attempt at one root. */
export class Attempt {
  readonly counts: FetchCounts = noCounts();
  /** Bytes that came for the roots before. */
  readonly receivedBefore: number;
  /** A limit was reached before: nothing comes any more. */
  readonly isFull: boolean;
  private readonly came: { readonly blob: DigestTable; readonly tree: DigestTable };
  private readonly isFirst: (kind: 'blob' | 'tree', raw: Buffer, rawAt: number) => boolean;

  constructor(
    came: { readonly blob: DigestTable; readonly tree: DigestTable },
    isFirst: (kind: 'blob' | 'tree', raw: Buffer, rawAt: number) => boolean,
    before: FetchCounts,
  ) {
    this.came = came;
    this.isFirst = isFirst;
    this.receivedBefore = before.bytes.received;
    this.isFull = before.left.files > 0;
  }

  /** Whether an object is here because this fetch has brought it. */
  hasCome(kind: 'blob' | 'tree', raw: Buffer, rawAt = 0): boolean {
    return this.came[kind].has(raw, rawAt);
  }

  cameBlob(raw: Buffer): void {
    this.came.blob.set(raw);
  }

  cameTree(raw: Buffer): void {
    this.came.tree.set(raw);
  }

  /** A wanted file. Returns whether its blob is counted here: each is once. */
  file(raw: Buffer, rawAt: number, size: number, origin: Origin): boolean {
    this.counts.files[origin]++;
    if (!this.isFirst('blob', raw, rawAt)) return false;
    this.counts.objects[origin]++;
    this.counts.bytes[origin] += size;
    return true;
  }

  /** A directory on the way to wanted files. */
  tree(raw: Buffer, origin: Origin): void {
    if (this.isFirst('tree', raw, 0)) this.counts.objects[origin]++;
  }

  /** A wanted file that a limit leaves out. */
  left(raw: Buffer, rawAt: number, size: number): void {
    this.counts.left.files++;
    if (this.isFirst('blob', raw, rawAt)) this.counts.left.bytes += size;
  }

  /** A root of which everything is in the store. */
  takeLocal(reader: ObjectReader, root: OutRoot, filter: PathFilter | undefined): void {
    if (root.kind === 'blob') {
      this.file(rawOf(root.digest), 0, root.bytes, 'reused');
      return;
    }
    for (const { path, raw, names, kinds, sizes, digests } of walkTree(reader, root.digest, filter)) {
      this.tree(raw, 'reused');
      names.forEach((name, i) => {
        if (kinds[i] === TREE || filter?.(path === '' ? name : `${path}/${name}`) === false) return;
        this.file(digests, i * RAW_DIGEST_BYTES, sizes[i] ?? 0, 'reused');
      });
    }
  }
}

function noCounts(): FetchCounts {
  const none = (): { received: number; reused: number } => ({ received: 0, reused: 0 });
  return { files: none(), objects: none(), bytes: none(), left: { files: 0, bytes: 0 } };
}
