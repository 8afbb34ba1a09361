import { SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { EXECUTABLE, FILE, LINK, TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { walkTree } from '../store/trees.js';
import { entryPath, KNOWN, type SeenDirectory, type Snapshot, seenDirectory } from './snapshot.js';

/**
 * The snapshot that a root would have in the workspace: all columns but the stats; with a filter, without what is not wanted and not here. Reads trees only. Throws like `walkTree`.
 */
export function plannedSnapshot(reader: ObjectReader, root: OutRoot, name: string, filter?: PathFilter): Snapshot {
  if (root.kind === 'blob') {
    const seen = seenDirectory('', [name]);
    seen.kinds[0] = root.exec ? EXECUTABLE : FILE;
    seen.sizes[0] = root.bytes;
    seen.flags[0] = KNOWN;
    rawOf(root.digest).copy(seen.digests);
    return { shape: 'file', directories: [seen] };
  }
  const directories: SeenDirectory[] = [];
  for (const directory of walkTree(reader, root.digest, filter)) {
    const seen = seenDirectory(directory.path, [...directory.names]);
    seen.kinds.set(directory.kinds);
    directory.digests.copy(seen.digests);
    for (let i = 0; i < seen.kinds.length; i++) {
      if (seen.kinds[i] === TREE) continue;
      seen.sizes[i] = directory.sizes[i] ?? 0;
      seen.flags[i] = KNOWN;
    }
    seen.node = directory.raw;
    seen.totalFiles = directory.totalFiles;
    seen.totalBytes = directory.totalBytes;
    directories.push(seen);
  }
  const [top] = directories;
  if (top === undefined || top.totalFiles !== root.files || top.totalBytes !== root.bytes) {
    throw new SluiceError('ERR_TREE_INVALID', `tree ${root.digest} does not hold what its lock says`);
  }
  return { shape: 'directory', directories };
}

/** The wanted files of a snapshot and the directories above them; its nodes are unknown. */
export function filterSnapshot(snapshot: Snapshot, filter: PathFilter): Snapshot {
  const kept = new Map<string, SeenDirectory>();
  for (let d = snapshot.directories.length - 1; d >= 0; d--) {
    const directory = snapshot.directories[d];
    if (directory === undefined) continue;
    const rows: number[] = [];
    for (let i = 0; i < directory.kinds.length; i++) {
      const path = entryPath(directory, i);
      if (directory.kinds[i] === TREE ? kept.has(path) : filter(path)) rows.push(i);
    }
    if (rows.length > 0 || directory.path === '') kept.set(directory.path, pick(directory, rows));
  }
  return { shape: snapshot.shape, directories: [...kept.values()].reverse() };
}

/** Some entries of a directory, as a directory of their own. */
function pick(directory: SeenDirectory, rows: readonly number[]): SeenDirectory {
  const picked = seenDirectory(
    directory.path,
    rows.map((row) => directory.names[row] ?? ''),
  );
  rows.forEach((row, i) => {
    picked.kinds[i] = directory.kinds[row] ?? 0;
    picked.sizes[i] = directory.sizes[row] ?? 0;
    picked.mtimes[i] = directory.mtimes[row] ?? 0;
    picked.ctimes[i] = directory.ctimes[row] ?? 0;
    picked.inodes[i] = directory.inodes[row] ?? 0;
    picked.flags[i] = directory.flags[row] ?? 0;
    directory.digests.copy(picked.digests, i * RAW_DIGEST_BYTES, row * RAW_DIGEST_BYTES, (row + 1) * RAW_DIGEST_BYTES);
  });
  return picked;
}

/** A file of a snapshot, such as one that differs from another. */
export interface Change {
  readonly directory: SeenDirectory;
  readonly entry: number;
}

/** Every file and link of a snapshot. */
export function allFiles({ directories }: Snapshot): Change[] {
  return directories.flatMap((directory) =>
    [...directory.kinds].flatMap((kind, entry) => (kind === TREE ? [] : [{ directory, entry }])),
  );
}

/** The steps from one directory snapshot to another, parents before children for what is added. */
export interface Delta {
  readonly put: readonly Change[];
  readonly addDirectories: readonly string[];
  /** Paths, children before parents. */
  readonly removeFiles: readonly string[];
  readonly removeDirectories: readonly string[];
  /** Files that stay. */
  readonly unchanged: number;
}

/**
 * What has to be done to get from `now` to `wanted`, both with all digests known. `undefined` if a name is a directory in one and a file in the other, or
 * one of them is a single file: then the whole out is replaced.
 */
export function planDelta(now: Snapshot, wanted: Snapshot): Delta | undefined {
  if (now.shape !== 'directory' || wanted.shape !== 'directory') return undefined;
  const before = new Map(now.directories.map((directory) => [directory.path, directory]));
  const put: Change[] = [];
  const addDirectories: string[] = [];
  const removeFiles: string[] = [];
  let unchanged = 0;
  for (const directory of wanted.directories) {
    const old = before.get(directory.path);
    before.delete(directory.path);
    if (old === undefined) addDirectories.push(directory.path);
    const rows = new Map((old?.names ?? []).map((name, row) => [name, row]));
    for (let entry = 0; entry < directory.names.length; entry++) {
      const row = rows.get(directory.names[entry] ?? '');
      rows.delete(directory.names[entry] ?? '');
      const kind = directory.kinds[entry];
      if (row !== undefined && (kind === TREE) !== (old?.kinds[row] === TREE)) return undefined;
      if (kind === TREE) continue;
      if (row !== undefined && old !== undefined && sameEntry(directory, entry, old, row)) unchanged++;
      else put.push({ directory, entry });
    }
    for (const row of rows.values()) {
      if (old !== undefined && old.kinds[row] !== TREE) removeFiles.push(entryPath(old, row));
    }
  }
  for (const gone of before.values()) {
    gone.names.forEach((_, row) => {
      if (gone.kinds[row] !== TREE) removeFiles.push(entryPath(gone, row));
    });
  }
  return { put, addDirectories, removeFiles, removeDirectories: [...before.keys()].reverse(), unchanged };
}

function sameEntry(a: SeenDirectory, i: number, b: SeenDirectory, j: number): boolean {
  if (a.kinds[i] !== b.kinds[j]) return false;
  return (
    a.digests.compare(
      b.digests,
      j * RAW_DIGEST_BYTES,
      (j + 1) * RAW_DIGEST_BYTES,
      i * RAW_DIGEST_BYTES,
      (i + 1) * RAW_DIGEST_BYTES,
    ) === 0
  );
}

/** Whether an entry is a link; links are made last, so that nothing is ever written through one. */
export function isLink({ directory, entry }: Change): boolean {
  return directory.kinds[entry] === LINK;
}
