import { digestFromRaw, RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { filterBelow } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { EXECUTABLE, LINK, TREE } from '../model/tree.js';
import type { ObjectReader } from '../store/reader.js';
import { readDirectory, walkTree } from '../store/trees.js';

/** How a dep's bytes are written in a fingerprint: what it is, and its digest. */
export function rootValue(root: OutRoot): string {
  return `${root.kind === 'blob' && root.exec ? 'exec' : root.kind} ${root.digest}`;
}

/**
 * The value of what lies at `path` below a root; `undefined` if nothing does. Reads the nodes on the path and no others.
 * Throws `ERR_OBJECT_MISSING` if a node is not in the store.
 */
export function valueInside(reader: ObjectReader, root: OutRoot, path: string): string | undefined {
  if (path === '') return rootValue(root);
  if (root.kind !== 'tree') return undefined;
  let raw = rawOf(root.digest);
  const segments = path.split('/');
  const filter = filterBelow(path);
  for (const [depth, segment] of segments.entries()) {
    const directory = readDirectory(reader, raw, 0, segments.slice(0, depth).join('/'), filter);
    const entry = directory.names.indexOf(segment);
    if (entry < 0) return undefined;
    raw = Buffer.from(directory.digests.subarray(entry * RAW_DIGEST_BYTES, (entry + 1) * RAW_DIGEST_BYTES));
    if (depth === segments.length - 1) return `${kindWord(directory.kinds[entry])} ${digestFromRaw(raw)}`;
    if (directory.kinds[entry] !== TREE) return undefined;
  }
  return undefined;
}

/** Every file below a root with its value, in the order of paths. Throws `ERR_OBJECT_MISSING`. */
export function* filesInside(reader: ObjectReader, root: OutRoot): Generator<readonly [path: string, value: string]> {
  if (root.kind === 'blob') {
    yield ['', rootValue(root)];
    return;
  }
  for (const directory of walkTree(reader, root.digest)) {
    for (let i = 0; i < directory.names.length; i++) {
      if (directory.kinds[i] === TREE) continue;
      const name = directory.names[i] ?? '';
      const path = directory.path === '' ? name : `${directory.path}/${name}`;
      yield [path, `${kindWord(directory.kinds[i])} ${digestFromRaw(directory.digests, i * RAW_DIGEST_BYTES)}`];
    }
  }
}

/** `blob`, `exec`, `link` or `tree`, for a kind of entry. */
export function kindWord(kind: number | undefined): string {
  return kind === TREE ? 'tree' : kind === LINK ? 'link' : kind === EXECUTABLE ? 'exec' : 'blob';
}
