import { SluiceError } from '../errors.js';
import { digestFromRaw, equalRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../model/digest.js';
import type { FileChange, FileState } from '../model/file-change.js';
import { compareUtf8 } from '../model/path.js';
import { mayReach, type PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { type Entries, EXECUTABLE, FILE, LINK, MAX_DEPTH, PART, SPLIT, TREE } from '../model/tree.js';
import { type NodeReader, readNode, readParts } from './trees.js';

const NO_ENTRIES: Entries = {
  names: [],
  kinds: new Uint8Array(0),
  sizes: new Float64Array(0),
  files: new Float64Array(0),
  digests: Buffer.alloc(0),
};

/** Where trees are read from, and which files count. */
export interface DiffTrees {
  readonly reader: NodeReader;
  readonly filter?: PathFilter | undefined;
}

/**
 * How the files of two roots differ, in the order of paths; `undefined` stands for nothing. Nodes and parts of split directories with equal digests are not read, so the
 * cost is that of what changed. Renames are not looked for. Throws `ERR_OBJECT_MISSING` where a node that differs is not in the store, `ERR_OBJECT_DAMAGED` or `ERR_TREE_INVALID`.
 */
export function* diffRoots(
  diff: DiffTrees,
  before: OutRoot | undefined,
  after: OutRoot | undefined,
): Generator<FileChange> {
  yield* diffEntries(diff, rootEntry(before), rootEntry(after), '', 0);
}

/** An entry of a directory, or a root. */
interface Entry {
  readonly kind: number;
  readonly raw: Buffer;
  readonly bytes: number;
}

function* diffEntries(
  diff: DiffTrees,
  before: Entry | undefined,
  after: Entry | undefined,
  path: string,
  depth: number,
): Generator<FileChange> {
  if (before?.kind === after?.kind && before !== undefined && after?.raw.equals(before.raw) === true) return;
  const was = before === undefined || before.kind === TREE ? undefined : stateOf(before);
  const is = after === undefined || after.kind === TREE ? undefined : stateOf(after);
  if (diff.filter?.(path) !== false) {
    if (was !== undefined && is !== undefined) yield { change: 'modified', path, before: was, after: is };
    else if (was !== undefined) yield { change: 'deleted', path, before: was };
    else if (is !== undefined) yield { change: 'added', path, after: is };
  }
  const isTree = before?.kind === TREE || after?.kind === TREE;
  if (!isTree || !mayReach(diff.filter, path)) return;
  const nodes = {
    before: before?.kind === TREE ? before.raw : undefined,
    after: after?.kind === TREE ? after.raw : undefined,
  };
  if (depth > MAX_DEPTH) throw tooDeep(nodes.before ?? nodes.after);
  yield* diffDirectories(diff, nodes, path, depth);
}

function* diffDirectories(
  diff: DiffTrees,
  nodes: { readonly before: Buffer | undefined; readonly after: Buffer | undefined },
  path: string,
  depth: number,
): Generator<FileChange> {
  const { before, after } = readBoth(diff.reader, nodes.before, nodes.after);
  for (let b = 0, a = 0; b < before.names.length || a < after.names.length; ) {
    const old = before.names[b];
    const now = after.names[a];
    const order = old === undefined ? 1 : now === undefined ? -1 : compareUtf8(old, now);
    // Most are equal, and nothing is made of those.
    if (order === 0 && sameEntry(before, b, after, a)) {
      b++;
      a++;
      continue;
    }
    const name = (order <= 0 ? old : now) ?? '';
    const below = path === '' ? name : `${path}/${name}`;
    const was = order <= 0 ? entryAt(before, b++) : undefined;
    const is = order >= 0 ? entryAt(after, a++) : undefined;
    yield* diffEntries(diff, was, is, below, depth + 1);
  }
}

function sameEntry(before: Entries, b: number, after: Entries, a: number): boolean {
  return (
    before.kinds[b] === after.kinds[a] &&
    equalRaw(before.digests, b * RAW_DIGEST_BYTES, after.digests, a * RAW_DIGEST_BYTES)
  );
}

/** The entries of two directories, without those that equal parts hold on both sides. */
function readBoth(
  reader: NodeReader,
  before: Buffer | undefined,
  after: Buffer | undefined,
): { readonly before: Entries; readonly after: Entries } {
  const sides = [before, after].map((raw) => (raw === undefined ? undefined : { raw, node: readNode(reader, raw) }));
  const parts = sides.map((side) => (side?.node.shape === SPLIT ? rawsOf(side.node.digests) : new Set<string>()));
  const [was, is] = sides.map((side, i): Entries => {
    if (side === undefined) return NO_ENTRIES;
    const { raw, node } = side;
    if (node.shape === PART) throw invalid(raw, 'a part stands where a directory is expected');
    if (node.shape !== SPLIT) return node;
    const other = parts[1 - i];
    return readParts(reader, raw, node, (part) => other?.has(hexAt(node.digests, part)) !== true);
  });
  return { before: was ?? NO_ENTRIES, after: is ?? NO_ENTRIES };
}

function rawsOf(digests: Buffer): Set<string> {
  const raws = new Set<string>();
  for (let i = 0; i < digests.length / RAW_DIGEST_BYTES; i++) raws.add(hexAt(digests, i));
  return raws;
}

function hexAt(digests: Buffer, entry: number): string {
  return digests.toString('hex', entry * RAW_DIGEST_BYTES, (entry + 1) * RAW_DIGEST_BYTES);
}

function entryAt({ kinds, digests, sizes }: Entries, entry: number): Entry {
  // Copied by whoever keeps it: what a change holds is a digest in text.
  const raw = digests.subarray(entry * RAW_DIGEST_BYTES, (entry + 1) * RAW_DIGEST_BYTES);
  return { kind: kinds[entry] ?? FILE, raw, bytes: sizes[entry] ?? 0 };
}

function rootEntry(root: OutRoot | undefined): Entry | undefined {
  if (root === undefined) return undefined;
  const kind = root.kind === 'tree' ? TREE : root.exec ? EXECUTABLE : FILE;
  return { kind, raw: rawOf(root.digest), bytes: root.bytes };
}

function stateOf({ kind, raw, bytes }: Entry): FileState {
  return { kind: kindName(kind), digest: digestFromRaw(raw), bytes };
}

/** The name of a kind of entry that is no tree. */
export function kindName(kind: number | undefined): FileState['kind'] {
  return kind === LINK ? 'link' : kind === EXECUTABLE ? 'executable' : 'file';
}

function tooDeep(raw: Buffer | undefined): SluiceError {
  return invalid(raw ?? Buffer.alloc(RAW_DIGEST_BYTES), 'it is nested too deep');
}

function invalid(raw: Buffer, problem: string): SluiceError {
  return new SluiceError('ERR_TREE_INVALID', `tree ${shortDigest(digestFromRaw(raw))} is damaged: ${problem}`);
}
