import { digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { EncodedDirectory } from '../model/split.js';
import { TREE } from '../model/tree.js';
import type { Ingestor, Unpublished } from '../store/ingest.js';
import { PACK_COUNT } from '../store/layout.js';
import type { ObjectReader } from '../store/reader.js';
import type { WriteSession } from '../store/session.js';
import { buildTree } from './build-tree.js';
import { type HashContext, ingestPending, type Pending, pendingOf } from './hash-snapshot.js';
import { forgetNodesAbove, KNOWN, type SeenDirectory, type Snapshot } from './snapshot.js';
import { hasNode } from './snapshot-complete.js';
import { absolutePath, type Workspace } from './workspace.js';

/** Distinct objects and their bytes; a split directory counts as one tree. */
export interface ObjectCount {
  objects: number;
  bytes: number;
}

/** What {@link storeSnapshot} gives. */
export interface StoredSnapshot {
  readonly root: OutRoot;
  /** To be published by the session before anything names the root. */
  readonly unpublished: readonly Unpublished[];
  readonly fresh: ObjectCount;
  readonly reused: ObjectCount;
}

/**
 * Brings everything that a snapshot holds into the store: blobs whose digest is not known in one pass of reading, hashing and
 * writing; blobs and nodes that are known only if the store lacks them. Fills in the snapshot's digests and nodes.
 */
export async function storeSnapshot(
  workspace: Workspace,
  session: WriteSession,
  path: RelPath,
  snapshot: Snapshot,
  context: HashContext,
): Promise<StoredSnapshot> {
  // Where blobs are many enough for packs, a pack for a few trees costs less than a file and a directory for each.
  const trees = session.ingestor(countNodes(snapshot) + pendingOf(snapshot).length >= PACK_COUNT);
  try {
    markMissing(snapshot, trees);
    const pending = pendingOf(snapshot);
    // What is read now may be other than what the index knew.
    for (const { directory } of pending) directory.node = undefined;
    forgetNodesAbove(snapshot);
    const root = absolutePath(workspace, path);
    const ingested = await ingestPending(root, snapshot.shape, pending, session, workspace.store.layout.dir, context);
    const tally = new Tally(countFiles(snapshot));
    countBlobs(snapshot, pending, ingested.fresh, tally);
    forgetUnstoredNodes(snapshot, trees, workspace.store.reader);
    const outRoot = buildTree(snapshot, (directory, encoded) => {
      tally.tree(encoded === undefined ? false : addNodes(trees, encoded), directory.node);
    });
    return {
      root: outRoot,
      unpublished: [...ingested.unpublished, trees.finish()],
      fresh: tally.fresh,
      reused: tally.reused,
    };
  } catch (error) {
    trees.abandon();
    throw error;
  }
}

/** Known digests whose blob the store has lost have to be read again. */
function markMissing(snapshot: Snapshot, ingestor: Ingestor): void {
  for (const { kinds, flags, digests } of snapshot.directories) {
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i] === TREE || flags[i] !== KNOWN) continue;
      if (!ingestor.has('blob', digests, i * RAW_DIGEST_BYTES)) flags[i] = 0;
    }
  }
}

/** Nodes that the store does not have, with their parts, have to be encoded again. Those above them have the same digest as before. */
function forgetUnstoredNodes(snapshot: Snapshot, ingestor: Ingestor, reader: ObjectReader): void {
  for (let i = snapshot.directories.length - 1; i >= 0; i--) {
    const directory = snapshot.directories[i];
    if (directory?.node === undefined) continue;
    if (!hasNode(reader, directory, (kind, raw, rawAt) => ingestor.has(kind, raw, rawAt))) directory.node = undefined;
  }
}

function addNodes(ingestor: Ingestor, encoded: EncodedDirectory): boolean {
  for (const part of encoded.parts) ingestor.addBytes('tree', part.bytes, part.raw, 0, true);
  return ingestor.addBytes('tree', encoded.top.bytes, encoded.top.raw, 0);
}

function countNodes(snapshot: Snapshot): number {
  let nodes = 0;
  for (const { node, names } of snapshot.directories)
    if (node === undefined) nodes += 1 + Math.floor(names.length / 512);
  return nodes;
}

function countFiles({ directories }: Snapshot): number {
  return directories.reduce((sum, { names }) => sum + names.length, 0);
}

function countBlobs(snapshot: Snapshot, pending: readonly Pending[], fresh: Uint8Array, tally: Tally): void {
  // Fresh ones first: a file that was new counts once as new, and its twins not at all.
  pending.forEach(({ directory, entry }, i) => {
    if (fresh[i] === 1) tally.blob(true, directory, entry);
  });
  for (const directory of snapshot.directories) {
    for (let entry = 0; entry < directory.kinds.length; entry++) {
      if (directory.kinds[entry] !== TREE) tally.blob(false, directory, entry);
    }
  }
}

/** Counts each distinct object once. */
class Tally {
  readonly fresh: ObjectCount = { objects: 0, bytes: 0 };
  readonly reused: ObjectCount = { objects: 0, bytes: 0 };
  private readonly blobs: DigestTable;
  private readonly trees = new Set<string>();

  constructor(files: number) {
    this.blobs = new DigestTable(files);
  }

  blob(isFresh: boolean, directory: SeenDirectory, entry: number): void {
    if (!this.blobs.set(directory.digests, entry * RAW_DIGEST_BYTES)) return;
    const count = isFresh ? this.fresh : this.reused;
    count.objects++;
    count.bytes += directory.sizes[entry] ?? 0;
  }

  tree(isFresh: boolean, node: Buffer | undefined): void {
    if (node === undefined) return;
    const digest = digestFromRaw(node);
    if (this.trees.has(digest)) return;
    this.trees.add(digest);
    (isFresh ? this.fresh : this.reused).objects++;
  }
}
