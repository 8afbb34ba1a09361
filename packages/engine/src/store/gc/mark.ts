import { SluiceError } from '../../errors.js';
import { RAW_DIGEST_BYTES, rawOf } from '../../model/digest.js';
import { DigestTable } from '../../model/digest-table.js';
import type { OutRoot } from '../../model/root.js';
import { MAX_DEPTH } from '../../model/tree.js';
import type { LoadedPack } from '../catalog.js';
import type { ObjectKind } from '../layout.js';
import { kindIn } from './inventory.js';
import type { NodeLinks } from './node-links.js';

/** Nothing names the object. */
export const DEAD = 0;
/** A lock, a lease, a running stage or a scope that was asked for names it. */
export const LIVE = 1;
/** Only a record, a note or the history of git names it, and no durable remote is known to hold it. */
export const UNPUSHED = 2;

/** Why an object stays. */
export type Claim = typeof LIVE | typeof UNPUSHED;

/** A tree that was wanted but not there, so what lies below it was not marked. */
const ABSENT = 4;

/** What was reached from the roots. Blobs and trees apart: a file may hold the very bytes of a tree node. */
export type Marks = Readonly<Record<ObjectKind, DigestTable>>;

/**
 * Gives what the node with this digest names, or `undefined` if the store does not have it. Throws `ERR_GC_STOPPED` if it cannot be read, or if it cannot
 * be told whether it is absent or damaged.
 */
export type NodeSource = (raw: Buffer, rawAt: number) => NodeLinks | undefined;

/** Empty marks, with room for what lies in packs. */
export function newMarks(packs: readonly LoadedPack[] = []): Marks {
  const expected = { blob: 0, tree: 0 };
  for (const pack of packs) expected[kindIn(pack)] += pack.index.count;
  return { blob: new DigestTable(expected.blob), tree: new DigestTable(expected.tree) };
}

/** What claims an object, {@link DEAD} for nothing. */
export function claimOf(marks: Marks, kind: ObjectKind, raw: Buffer, rawAt = 0): Claim | typeof DEAD {
  const value = (marks[kind].get(raw, rawAt) ?? DEAD) & ~ABSENT;
  return value === LIVE || value === UNPUSHED ? value : DEAD;
}

/** Marks everything that a root reaches in the store. The first claim to an object stays. */
export function markRoot(marks: Marks, nodes: NodeSource, root: OutRoot, claim: Claim): void {
  const raw = rawOf(root.digest);
  if (root.kind === 'blob') markBlob(marks, raw, 0, claim);
  else markTree(marks, nodes, raw, 0, claim, 0);
}

/**
 * Marks what the leases name, raw digests one after another. A lease does not say what kind of object it means, so both are marked. A leased tree
 * is walked: whoever leases a root relies on all of it.
 */
export function markLeases(marks: Marks, nodes: NodeSource, leases: readonly Buffer[]): void {
  for (const lease of leases) {
    for (let at = 0; at < lease.length; at += RAW_DIGEST_BYTES) {
      markBlob(marks, lease, at, LIVE);
      markTree(marks, nodes, lease, at, LIVE, 0);
    }
  }
}

function markBlob(marks: Marks, raw: Buffer, rawAt: number, claim: Claim): void {
  if (!marks.blob.has(raw, rawAt)) marks.blob.set(raw, rawAt, claim);
}

/**
 * A node that is not there is a subtree that was never fetched: the remote has it, and whatever else of it lies here is found through the other
 * trees that name it, or comes again from where the node comes from. It stays marked as absent, so that it is walked should it appear.
 */
function markTree(marks: Marks, nodes: NodeSource, raw: Buffer, rawAt: number, claim: Claim, depth: number): void {
  const known = marks.tree.get(raw, rawAt) ?? DEAD;
  if (known !== DEAD && (known & ABSENT) === 0) return;
  // A split directory is two levels of nodes.
  if (depth > MAX_DEPTH * 2) {
    throw new SluiceError('ERR_GC_STOPPED', 'nothing was deleted: a tree is nested too deep to be read');
  }
  const node = nodes(raw, rawAt);
  if (node === undefined) {
    if (known === DEAD) marks.tree.set(raw, rawAt, claim | ABSENT);
    return;
  }
  marks.tree.set(raw, rawAt, claim);
  const { bytes, digestAt, isNode } = node;
  for (let i = 0; i < digestAt.length; i++) {
    const at = digestAt[i] ?? 0;
    if (isNode[i] === 1) markTree(marks, nodes, bytes, at, claim, depth + 1);
    else markBlob(marks, bytes, at, claim);
  }
}
