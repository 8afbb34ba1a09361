import { SluiceError } from '../errors.js';
import { ByteReader, varintLength, writeVarint } from './bytes.js';
import { copyRaw, RAW_DIGEST_BYTES } from './digest.js';
import { compareUtf8, nameProblem } from './path.js';

/** Kinds of entries, as they stand in a node. */
export const FILE = 0;
export const EXECUTABLE = 1;
export const LINK = 2;
export const TREE = 3;

/** Shapes of nodes, as they stand in a node. */
export const WHOLE = 0;
export const SPLIT = 1;
export const PART = 2;

/** Largest node that a reader accepts: 2,048 entries with the longest names take 0.7 MiB, a split directory of 10 million files 6 MiB. */
export const MAX_NODE_BYTES: number = 16 * 1024 * 1024;

/** Deepest nesting that a reader accepts: PATH_MAX (4,096) allows 2,048 levels, but no tool copes with them. */
export const MAX_DEPTH = 256;

/** Longest name in bytes (NAME_MAX of Linux and macOS file systems). */
const MAX_NAME_BYTES = 255;

const MAGIC = Buffer.from('SLT1');
/** Where the shape of a node stands in its bytes. */
export const NODE_SHAPE_AT = 4;
const HEADER_BYTES = 5;

/**
 * The entries of a node in columns, sorted by the UTF-8 bytes of their names. In a node of shape {@link SPLIT} an entry is a part:
 * its name is the part's first name, its kind {@link TREE}, and `counts` says how many entries it holds.
 */
export interface Entries {
  readonly names: readonly string[];
  readonly kinds: Uint8Array;
  /** Bytes of a file, of a link's target, or below a tree. */
  readonly sizes: Float64Array;
  /** Files below a tree; 1 for everything else. */
  readonly files: Float64Array;
  /** 32 bytes per entry. */
  readonly digests: Buffer;
}

/** A decoded node. `files` and `bytes` count everything below it. */
export interface TreeNode extends Entries {
  readonly shape: typeof WHOLE | typeof SPLIT | typeof PART;
  readonly files: Float64Array;
  readonly totalFiles: number;
  readonly totalBytes: number;
  /** Entries per part of a {@link SPLIT} node; empty for the other shapes. */
  readonly counts: readonly number[];
}

/**
 * The canonical bytes of the entries `from` (inclusive) to `to` (exclusive). `counts` is given exactly for a {@link SPLIT} node.
 * Throws `ERR_FILE_NAME` for a name that is too long.
 */
export function encodeNode(
  shape: TreeNode['shape'],
  entries: Entries,
  from = 0,
  to: number = entries.names.length,
  counts: readonly number[] = [],
): Buffer {
  let files = 0;
  let bytes = 0;
  let length = 0;
  const names: Buffer[] = [];
  for (let i = from; i < to; i++) {
    const name = encodeName(entries.names[i] ?? '');
    const size = entries.sizes[i] ?? 0;
    const below = entries.files[i] ?? 0;
    names.push(name);
    files += below;
    bytes += size;
    length += varintLength(name.length) + name.length + varintLength(size) + RAW_DIGEST_BYTES;
    if (shape === SPLIT) length += varintLength(counts[i] ?? 0) + varintLength(below);
    else length += 1 + (entries.kinds[i] === TREE ? varintLength(below) : 0);
  }
  const node = Buffer.allocUnsafe(
    HEADER_BYTES + varintLength(files) + varintLength(bytes) + varintLength(to - from) + length,
  );
  MAGIC.copy(node);
  node[NODE_SHAPE_AT] = shape;
  let at = writeVarint(node, files, HEADER_BYTES);
  at = writeVarint(node, bytes, at);
  at = writeVarint(node, to - from, at);
  for (let i = from; i < to; i++) {
    const name = names[i - from] ?? Buffer.alloc(0);
    const kind = entries.kinds[i] ?? FILE;
    if (shape !== SPLIT) node[at++] = kind;
    at = writeVarint(node, name.length, at);
    at += name.copy(node, at);
    if (shape === SPLIT) at = writeVarint(node, counts[i] ?? 0, at);
    at = writeVarint(node, entries.sizes[i] ?? 0, at);
    if (shape === SPLIT || kind === TREE) at = writeVarint(node, entries.files[i] ?? 0, at);
    copyRaw(entries.digests, i * RAW_DIGEST_BYTES, node, at);
    at += RAW_DIGEST_BYTES;
  }
  return node;
}

/** Where each entry of a node of so many bytes begins; at the end, where the last one ends. */
export function entryStarts({ shape, names, kinds, sizes, files, counts }: TreeNode, length: number): Uint32Array {
  const starts = new Uint32Array(names.length + 1);
  starts[names.length] = length;
  let at = length;
  for (let i = names.length - 1; i >= 0; i--) {
    const nameBytes = Buffer.byteLength(names[i] ?? '');
    at -= varintLength(nameBytes) + nameBytes + varintLength(sizes[i] ?? 0) + RAW_DIGEST_BYTES;
    if (shape === SPLIT) at -= varintLength(counts[i] ?? 0) + varintLength(files[i] ?? 0);
    else at -= 1 + (kinds[i] === TREE ? varintLength(files[i] ?? 0) : 0);
    starts[i] = at;
  }
  return starts;
}

/** Some file systems allow names that take more bytes. */
function encodeName(name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= MAX_NAME_BYTES) return bytes;
  throw new SluiceError('ERR_FILE_NAME', `a name is longer than ${MAX_NAME_BYTES} bytes: ${JSON.stringify(name)}`, {
    hint: 'Rename the file; other file systems could not hold it.',
  });
}

/**
 * Decodes and checks one node. `what` names it in the error.
 * Throws `ERR_TREE_INVALID`, or `ERR_FORMAT_VERSION` for a version that is not known.
 */
export function decodeNode(bytes: Buffer, what: string): TreeNode {
  const reader = new ByteReader(bytes, (problem) => {
    throw new SluiceError('ERR_TREE_INVALID', `tree ${what} is damaged: ${problem}`);
  });
  if (bytes.length > MAX_NODE_BYTES) reader.fail('it is too large');
  checkMagic(reader, what);
  const shape = reader.u8();
  if (shape !== WHOLE && shape !== SPLIT && shape !== PART) return reader.fail('its shape is not known');
  const totalFiles = reader.varint();
  const totalBytes = reader.varint();
  const count = reader.varint();
  // The smallest entry: kind, name length, one byte of name, size, digest.
  if (count * (RAW_DIGEST_BYTES + 4) > reader.left) reader.fail('it names more entries than it holds');
  const names: string[] = [];
  const counts: number[] = [];
  const kinds = new Uint8Array(count);
  const sizes = new Float64Array(count);
  const files = new Float64Array(count);
  const digests = Buffer.allocUnsafe(count * RAW_DIGEST_BYTES);
  let filesSeen = 0;
  let bytesSeen = 0;
  for (let i = 0; i < count; i++) {
    const kind = shape === SPLIT ? TREE : reader.u8();
    if (kind > TREE) reader.fail('a kind of entry is not known');
    const name = readName(reader);
    const before = names[i - 1];
    if (before !== undefined && compareUtf8(before, name) >= 0) reader.fail('its names are not in order');
    if (shape === SPLIT) counts.push(reader.varint());
    const size = reader.varint();
    const below = kind === TREE ? reader.varint() : 1;
    names.push(name);
    kinds[i] = kind;
    sizes[i] = size;
    files[i] = below;
    filesSeen += below;
    bytesSeen += size;
    copyRaw(bytes, reader.pass(RAW_DIGEST_BYTES), digests, i * RAW_DIGEST_BYTES);
  }
  if (reader.left !== 0) reader.fail('bytes follow its last entry');
  if (filesSeen !== totalFiles || bytesSeen !== totalBytes) reader.fail('its sums do not add up');
  return { shape, names, kinds, sizes, files, digests, totalFiles, totalBytes, counts };
}

function checkMagic(reader: ByteReader, what: string): void {
  const magic = reader.take(MAGIC.length);
  if (magic.equals(MAGIC)) return;
  if (magic.subarray(0, 3).equals(MAGIC.subarray(0, 3)) && magic.readUInt8(3) > 0x31) {
    throw new SluiceError('ERR_FORMAT_VERSION', `tree ${what} was written by a newer Sluice`, {
      hint: 'Update Sluice in this workspace.',
    });
  }
  reader.fail('it does not begin like a tree');
}

function readName(reader: ByteReader): string {
  const length = reader.varint();
  if (length > MAX_NAME_BYTES) reader.fail('a name is too long');
  const from = reader.pass(length);
  const name = reader.bytes.toString('utf8', from, from + length);
  const problem = nameProblem(name);
  if (problem !== undefined) reader.fail(`a name ${problem}`);
  // Decoding replaces bytes that are not UTF-8, so a name that does not come back was not UTF-8.
  if (name.includes('\ufffd') && !Buffer.from(name).equals(reader.bytes.subarray(from, from + length))) {
    reader.fail('a name is not UTF-8');
  }
  return name;
}
