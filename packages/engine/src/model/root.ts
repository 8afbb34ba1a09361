import type { Digest } from './digest.js';

/** The object of a whole out. `files` and `bytes` count what lies below; a blob is one file. */
export interface OutRoot {
  readonly kind: 'blob' | 'tree';
  readonly digest: Digest;
  /** Whether a single file is executable; always `false` for a tree, which keeps the bit per entry. */
  readonly exec: boolean;
  readonly files: number;
  readonly bytes: number;
}

/** Whether two roots are the same content. */
export function sameRoot(a: OutRoot | undefined, b: OutRoot | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.kind === b.kind && a.digest === b.digest && a.exec === b.exec;
}
