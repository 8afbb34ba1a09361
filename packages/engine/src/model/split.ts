import { hash } from 'node:crypto';
import { RAW_DIGEST_BYTES, rawDigestOf } from './digest.js';
import { type Entries, encodeNode, PART, SPLIT, TREE, WHOLE } from './tree.js';

/** A directory with this many entries is split into parts. */
export const SPLIT_ENTRIES = 1024;

/** A part never holds more entries, whatever their names. @internal */
export const MAX_PART_ENTRIES = 2048;

/** The bytes of one node with its digest; `part` for a part of a split directory. */
export interface EncodedNode {
  readonly raw: Buffer;
  readonly bytes: Buffer;
  readonly part: boolean;
}

/** A directory as objects: `top` is the node that stands for it, `parts` lie below a split one. */
export interface EncodedDirectory {
  readonly top: EncodedNode;
  readonly parts: readonly EncodedNode[];
  readonly files: number;
  readonly bytes: number;
}

/** Encodes one directory, splitting it where its size asks for it. The same entries always give the same nodes. */
export function encodeDirectory(entries: Entries): EncodedDirectory {
  const count = entries.names.length;
  let files = 0;
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    files += entries.files[i] ?? 0;
    bytes += entries.sizes[i] ?? 0;
  }
  if (count < SPLIT_ENTRIES) return { top: encoded(encodeNode(WHOLE, entries), false), parts: [], files, bytes };
  const starts = partStarts(entries.names);
  const parts = starts.map((from, i) => encoded(encodeNode(PART, entries, from, starts[i + 1] ?? count), true));
  const columns = {
    names: starts.map((from) => entries.names[from] ?? ''),
    kinds: new Uint8Array(starts.length).fill(TREE),
    sizes: sumPerPart(entries.sizes, starts),
    files: sumPerPart(entries.files, starts),
    digests: Buffer.concat(
      parts.map((part) => part.raw),
      parts.length * RAW_DIGEST_BYTES,
    ),
  };
  const counts = starts.map((from, i) => (starts[i + 1] ?? count) - from);
  return { top: encoded(encodeNode(SPLIT, columns, 0, starts.length, counts), false), parts, files, bytes };
}

function encoded(bytes: Buffer, part: boolean): EncodedNode {
  return { raw: rawDigestOf(bytes), bytes, part };
}

function partStarts(names: readonly string[]): number[] {
  const starts = [0];
  let start = 0;
  names.forEach((name, i) => {
    if (i === 0 || (i - start < MAX_PART_ENTRIES && !beginsPart(name))) return;
    starts.push(i);
    start = i;
  });
  return starts;
}

/** Nine zero bits: one name in 512. */
function beginsPart(name: string): boolean {
  const bytes = hash('sha256', name, 'binary');
  return bytes.charCodeAt(0) === 0 && bytes.charCodeAt(1) < 0x80;
}

function sumPerPart(column: Float64Array, starts: readonly number[]): Float64Array {
  const sums = new Float64Array(starts.length);
  starts.forEach((from, part) => {
    const to = starts[part + 1] ?? column.length;
    let sum = 0;
    for (let i = from; i < to; i++) sum += column[i] ?? 0;
    sums[part] = sum;
  });
  return sums;
}
