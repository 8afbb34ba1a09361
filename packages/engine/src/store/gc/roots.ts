import type { OutRoot } from '../../model/root.js';

/** A root and what names it. */
export interface RootRef {
  readonly root: OutRoot;
  /** For a person: `data/model in the lock of apps/train`, `the record of train:fit from 2026-11-20`. */
  readonly why: string;
  /** May go, oldest last in the list, when the store would be larger than the bound that was asked for. */
  readonly droppable?: boolean;
  /** Recorded, but protects nothing, because no remote is ever to hold it. Listed so that its loss is told. */
  readonly unprotected?: boolean;
}

/** Where a collection gets its roots. Each list is asked for twice: what was named in between must be seen. */
export interface GcRoots {
  /** What is live whatever a remote holds: locks, running stages, git refs in scope. */
  live(): Promise<readonly RootRef[]>;
  /**
   * What else names roots: records, notes about outs that were kept aside, the history of git. It protects only what no durable remote is
   * known to hold. Asked only when there is something to delete.
   */
  recorded(): Promise<readonly RootRef[]>;
  /** Whether a durable remote holds everything below a root. Asked once per root, and only for those that would lose objects. */
  isOnRemote(root: OutRoot): Promise<boolean | 'unknown'>;
}

/** Each root once, with the first thing that names it. */
export function distinct(refs: readonly RootRef[]): RootRef[] {
  const seen = new Map<string, RootRef>();
  for (const ref of refs) {
    const key = `${ref.root.kind} ${ref.root.digest}`;
    if (!seen.has(key)) seen.set(key, ref);
  }
  return [...seen.values()];
}
