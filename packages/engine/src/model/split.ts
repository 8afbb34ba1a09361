import { hash } from 'node:crypto';
import { RAW_DIGEST_BYTES, rawDigestOf } from './digest.js';
import { type Entries, encodeNode, PART, SPLIT, TREE, WHOLE } from './tree.js';

/** A directory with this many entries is split into parts. */
export const SPLIT_ENTRIES = 1024;

/** A part never holds more entries, whatever their names. */
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
  const files = sumOf(entries.files, 0, count);
  const bytes = sumOf(entries.sizes, 0, count);
  if (count < SPLIT_ENTRIES) return { top: encoded(encodeNode(WHOLE, entries), false), parts: [], files, bytes };
  const parts = encodeParts(entries);
  return { top: encodeTop(parts), parts: parts.map(({ node }) => node), files, bytes };
}

/** A part of a split directory, as the node above it names it. */
export interface PartSummary {
  readonly raw: Buffer;
  /** Its first name. */
  readonly first: string;
  /** Entries that it holds. */
  readonly count: number;
  readonly files: number;
  readonly size: number;
}

/** The parts of entries that begin a part themselves, as the first ones of a directory or behind a part that has ended. */
export function encodeParts(entries: Entries): (PartSummary & { readonly node: EncodedNode })[] {
  const starts = partStarts(entries.names);
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? entries.names.length;
    const node = encoded(encodeNode(PART, entries, from, to), true);
    const first = entries.names[from] ?? '';
    const [files, size] = [sumOf(entries.files, from, to), sumOf(entries.sizes, from, to)];
    return { node, raw: node.raw, first, count: to - from, files, size };
  });
}

/** The node that stands for a split directory. */
export function encodeTop(parts: readonly PartSummary[]): EncodedNode {
  const columns = {
    names: parts.map(({ first }) => first),
    kinds: new Uint8Array(parts.length).fill(TREE),
    sizes: Float64Array.from(parts, ({ size }) => size),
    files: Float64Array.from(parts, ({ files }) => files),
    digests: Buffer.concat(
      parts.map(({ raw }) => raw),
      parts.length * RAW_DIGEST_BYTES,
    ),
  };
  const counts = parts.map(({ count }) => count);
  return encoded(encodeNode(SPLIT, columns, 0, parts.length, counts), false);
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

/** Whether a part of a split directory begins with a name wherever it stands. Nine zero bits: one name in 512. */
export function beginsPart(name: string): boolean {
  const bytes = hash('sha256', name, 'binary');
  return bytes.charCodeAt(0) === 0 && bytes.charCodeAt(1) < 0x80;
}

function sumOf(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i] ?? 0;
  return sum;
}
