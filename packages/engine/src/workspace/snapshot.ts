import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { type EntryColumns, entryColumns } from './stat-entries.js';

/** The digest column holds the entry's digest. */
export const KNOWN = 1;
/** The entry was as young as the index that holds it, so it could have changed without a trace. */
export const RACY = 2;

/**
 * One directory as it was seen: its entries in columns, sorted by the UTF-8 bytes of their names. Subdirectories are entries of kind
 * {@link TREE} without values; they follow as directories of their own.
 */
export interface SeenDirectory extends EntryColumns {
  /** Path below the root of the snapshot; `''` for the root. */
  readonly path: string;
  readonly names: string[];
  /** {@link KNOWN} and {@link RACY}. */
  readonly flags: Uint8Array;
  /** 32 bytes per entry. */
  readonly digests: Buffer;
  /** Digest of the directory's tree node, where nothing below it has to be looked at again. */
  node: Buffer | undefined;
  /** Files and bytes below, valid while {@link SeenDirectory.node} is there. */
  totalFiles: number;
  totalBytes: number;
}

/** A file or directory tree as it was seen at one moment. A file is a single directory with a single entry. */
export interface Snapshot {
  readonly shape: 'file' | 'directory';
  /** Depth first, parents before children, in the order of names. */
  readonly directories: readonly SeenDirectory[];
}

/** Makes room for the entries of one directory. */
export function seenDirectory(path: string, names: string[]): SeenDirectory {
  const count = names.length;
  return {
    path,
    names,
    ...entryColumns(count),
    flags: new Uint8Array(count),
    digests: Buffer.alloc(count * RAW_DIGEST_BYTES),
    node: undefined,
    totalFiles: 0,
    totalBytes: 0,
  };
}

/** The path of an entry below the snapshot's root. */
export function entryPath(directory: SeenDirectory, entry: number): string {
  const name = directory.names[entry] ?? '';
  return directory.path === '' ? name : `${directory.path}/${name}`;
}

/** Takes the nodes above unknown ones away: a node stands for everything below it, so it is of no use when something there is not known. */
export function forgetNodesAbove(snapshot: Snapshot): void {
  const byPath = new Map(snapshot.directories.map((directory) => [directory.path, directory]));
  for (const { path, node } of [...snapshot.directories].reverse()) {
    if (path === '' || node !== undefined) continue;
    const parent = byPath.get(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    if (parent !== undefined) parent.node = undefined;
  }
}
