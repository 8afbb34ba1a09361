import { digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { type EncodedDirectory, encodeDirectory } from '../model/split.js';
import { EXECUTABLE, TREE } from '../model/tree.js';
import type { SeenDirectory, Snapshot } from './snapshot.js';

/** Is told of every directory of a snapshot, children first. `encoded` is `undefined` where the node was known already. */
export type TreeSink = (directory: SeenDirectory, encoded: EncodedDirectory | undefined) => void;

/**
 * The root of a snapshot whose digests are all known. Directories whose node is known, from the index, are not encoded again; the others
 * get their node, and `sink` their bytes.
 */
export function buildTree(snapshot: Snapshot, sink: TreeSink = () => undefined): OutRoot {
  const [top] = snapshot.directories;
  if (top === undefined) throw new Error('a snapshot has at least one directory');
  if (snapshot.shape === 'file') {
    const exec = top.kinds[0] === EXECUTABLE;
    return { kind: 'blob', digest: digestFromRaw(top.digests), exec, files: 1, bytes: top.sizes[0] ?? 0 };
  }
  const byPath = new Map(snapshot.directories.map((directory) => [directory.path, directory]));
  for (let i = snapshot.directories.length - 1; i >= 0; i--) {
    const directory = snapshot.directories[i];
    if (directory !== undefined) sink(directory, completeNode(directory, byPath));
  }
  return {
    kind: 'tree',
    digest: digestFromRaw(top.node ?? Buffer.alloc(RAW_DIGEST_BYTES)),
    exec: false,
    files: top.totalFiles,
    bytes: top.totalBytes,
  };
}

function completeNode(directory: SeenDirectory, byPath: Map<string, SeenDirectory>): EncodedDirectory | undefined {
  if (directory.node !== undefined) return undefined;
  const { names, kinds, sizes, digests } = directory;
  const files = new Float64Array(names.length);
  const below = Float64Array.from(sizes);
  for (let i = 0; i < names.length; i++) {
    files[i] = 1;
    if (kinds[i] !== TREE) continue;
    const child = byPath.get(directory.path === '' ? (names[i] ?? '') : `${directory.path}/${names[i] ?? ''}`);
    if (child?.node === undefined) throw new Error(`no node for ${directory.path}/${names[i]}`);
    child.node.copy(digests, i * RAW_DIGEST_BYTES);
    files[i] = child.totalFiles;
    below[i] = child.totalBytes;
  }
  const encoded = encodeDirectory({ names, kinds, sizes: below, files, digests });
  directory.node = encoded.top.raw;
  directory.totalFiles = encoded.files;
  directory.totalBytes = encoded.bytes;
  return encoded;
}
