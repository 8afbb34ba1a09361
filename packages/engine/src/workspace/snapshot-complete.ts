import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { SPLIT_ENTRIES } from '../model/split.js';
import { TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { readNode } from '../store/trees.js';
import type { SeenDirectory, Snapshot } from './snapshot.js';

/** Whether the store says that it has an object; a writer's answer is kept until it ends. */
export type HasObject = (kind: 'blob' | 'tree', raw: Buffer, rawAt: number) => boolean;

/** Whether the store holds everything of a snapshot whose digests and nodes are all known. Decodes no trees, unlike `completeness`. */
export function isStored(reader: ObjectReader, snapshot: Snapshot): boolean {
  const has: HasObject = (kind, raw, rawAt) => reader.catalog.has(kind, raw, rawAt);
  return snapshot.directories.every((directory) => {
    if (snapshot.shape === 'directory' && !hasNode(reader, directory, has)) return false;
    return directory.kinds.every((kind, i) => kind === TREE || has('blob', directory.digests, i * RAW_DIGEST_BYTES));
  });
}

/** Whether the store has the node of a directory, with all its parts where it is split. */
export function hasNode(reader: ObjectReader, { node, names }: SeenDirectory, has: HasObject): boolean {
  if (node === undefined || !has('tree', node, 0)) return false;
  if (names.length < SPLIT_ENTRIES) return true;
  const { digests, names: parts } = readNode(reader, node);
  return parts.every((_, part) => has('tree', digests, part * RAW_DIGEST_BYTES));
}
