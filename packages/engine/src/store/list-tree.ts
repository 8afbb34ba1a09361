import { digestFromRaw, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import type { FileState } from '../model/file-change.js';
import { type PathFilter, pathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import { kindName } from './diff-trees.js';
import type { ObjectReader } from './reader.js';
import { type Directory, walkTree } from './trees.js';

/** A file below a root, or a directory with what is listed of it. */
export interface ListedEntry {
  /** Below the root; `''` for a root that is a file. */
  readonly path: string;
  readonly kind: FileState['kind'] | 'directory';
  /** Of a directory, the digest of its tree. */
  readonly digest: FileState['digest'];
  /** Files that are listed: 1 for a file. */
  files: number;
  bytes: number;
  /** Whether the store has a file's bytes; of a directory, all that is listed. */
  stored: boolean;
}

/** What to list. */
export interface ListOptions {
  readonly filter?: PathFilter | undefined;
  /** Only files whose bytes the store has. */
  readonly storedOnly?: boolean;
}

/**
 * What lies below a root, each directory followed by its contents, names in the order of their UTF-8 bytes. With a filter, or with `storedOnly`, a directory is listed if
 * a file in it is; `storedOnly` passes over
 * trees that the store does not have. Throws like `walkTree`.
 */
export function listRoot(
  reader: ObjectReader,
  root: OutRoot,
  { filter, storedOnly = false }: ListOptions,
): ListedEntry[] {
  const has = reader.catalog.manyBlobs();
  const wanted = (path: string, stored: boolean): boolean => filter?.(path) !== false && (stored || !storedOnly);
  if (root.kind === 'blob') {
    const stored = has(rawOf(root.digest), 0);
    const kind = root.exec ? 'executable' : 'file';
    return wanted('', stored) ? [{ path: '', kind, digest: root.digest, files: 1, bytes: root.bytes, stored }] : [];
  }
  const isWhole = filter === undefined && !storedOnly;
  const directories = new Map<string, Directory>();
  if (storedOnly && !reader.catalog.has('tree', rawOf(root.digest))) return [];
  // A filter that may reach nothing leaves out what is not here.
  const reaching = storedOnly ? pathFilter(filter ?? (() => true), []) : filter;
  for (const directory of walkTree(reader, root.digest, reaching)) directories.set(directory.path, directory);
  const listed: ListedEntry[] = [];
  const list = (directory: Directory, total: ListedEntry | undefined): void => {
    for (let i = 0; i < directory.names.length; i++) {
      const name = directory.names[i] ?? '';
      const path = directory.path === '' ? name : `${directory.path}/${name}`;
      const digest = digestFromRaw(directory.digests, i * RAW_DIGEST_BYTES);
      if (directory.kinds[i] !== TREE) {
        const stored = has(directory.digests, i * RAW_DIGEST_BYTES);
        if (!wanted(path, stored)) continue;
        const entry: ListedEntry = {
          path,
          kind: kindName(directory.kinds[i]),
          digest,
          files: 1,
          bytes: directory.sizes[i] ?? 0,
          stored,
        };
        listed.push(entry);
        addTo(total, entry);
        continue;
      }
      const below = directories.get(path);
      if (below === undefined) continue;
      const entry: ListedEntry = { path, kind: 'directory', digest, files: 0, bytes: 0, stored: true };
      const at = listed.push(entry);
      list(below, entry);
      if (isWhole || listed.length > at) addTo(total, entry);
      else listed.pop();
    }
  };
  const top = directories.get('');
  if (top !== undefined) list(top, undefined);
  return listed;
}

/** How many files of a root, and how many of their bytes, the store has. Reads nodes that are here and no others. */
export function storedSum(reader: ObjectReader, root: OutRoot): { readonly files: number; readonly bytes: number } {
  const sum = { files: 0, bytes: 0 };
  for (const { kind, bytes } of listRoot(reader, root, { storedOnly: true })) {
    if (kind === 'directory') continue;
    sum.files++;
    sum.bytes += bytes;
  }
  return sum;
}

function addTo(total: ListedEntry | undefined, entry: ListedEntry): void {
  if (total === undefined) return;
  total.files += entry.files;
  total.bytes += entry.bytes;
  total.stored &&= entry.stored;
}
