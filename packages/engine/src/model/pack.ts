import { SluiceError } from '../errors.js';
import { copyRaw, equalRaw, RAW_DIGEST_BYTES, rawDigestOf } from './digest.js';

/** Kinds of objects, as they stand in a pack. */
export const BLOB = 0;
export const NODE = 1;
export const NODE_PART = 2;

/** What a pack holds, as it stands in its header. */
export const BLOBS = 0;
export const TREES = 1;

/** Stored as it is. */
export const CODEC_NONE = 0;
/** One Zstandard frame. */
export const CODEC_ZSTD = 1;
/** A Brotli stream. */
export const CODEC_BROTLI = 2;
/** Only for a node: what is new in it, `patch.ts`. */
export const CODEC_PATCH = 3;

export const PACK_HEADER_BYTES = 8;
export const OBJECT_HEADER_BYTES = 44;
export const PACK_TRAILER_BYTES = 44;
export const INDEX_ENTRY_BYTES = 46;

/** Largest pack a reader accepts: offsets are 32 bits wide. */
const MAX_PACK_BYTES: number = 2 ** 32 - 1;

const MAGIC = Buffer.from('SLPK');
const END_MAGIC = Buffer.from('SLPE');
const VERSION = 1;

/** Where one object of a pack lies and what it is. `offset` is that of its header. */
export interface PackEntry {
  readonly offset: number;
  /** Bytes in the pack. */
  readonly stored: number;
  /** Bytes of the object. */
  readonly full: number;
  readonly codec: number;
  readonly kind: number;
}

/** Whether this version can read a codec of an object that stands for itself. */
export function isKnownCodec(codec: number): boolean {
  return codec === CODEC_NONE || codec === CODEC_ZSTD || codec === CODEC_BROTLI;
}

/** The first bytes of a pack. */
export function packHeader(content: typeof BLOBS | typeof TREES): Buffer {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  MAGIC.copy(header);
  header[4] = VERSION;
  header[5] = content;
  return header;
}

/** Writes the header of an object at `at`; its 32 digest bytes at `at + 12` are left to the caller. */
export function writeObjectHeader(bytes: Buffer, at: number, entry: Omit<PackEntry, 'offset'>): void {
  bytes.writeUInt32LE(entry.stored, at);
  bytes.writeUInt32LE(entry.full, at + 4);
  bytes[at + 8] = entry.codec;
  bytes[at + 9] = entry.kind;
  bytes[at + 10] = 0;
  bytes[at + 11] = 0;
}

/** Where the digest lies inside an object's header. */
export const OBJECT_DIGEST_OFFSET = 12;

/** Reads the header of an object at `at`; the caller compares its digest with the bytes that follow. */
export function readObjectHeader(bytes: Buffer, at: number): Omit<PackEntry, 'offset'> {
  return {
    stored: bytes.readUInt32LE(at),
    full: bytes.readUInt32LE(at + 4),
    codec: bytes.readUInt8(at + 8),
    kind: bytes.readUInt8(at + 9),
  };
}

/** Collects the index of a pack while its objects are written. */
export class PackIndexBuilder {
  private entries: Buffer = Buffer.allocUnsafe(256 * INDEX_ENTRY_BYTES);
  private used = 0;

  get count(): number {
    return this.used;
  }

  /** Adds an object; its digest is the 32 bytes at `rawAt` in `raw`. The same digest may not be added twice. */
  add(raw: Buffer, rawAt: number, entry: PackEntry): void {
    const at = this.used * INDEX_ENTRY_BYTES;
    if (at === this.entries.length) {
      const grown = Buffer.allocUnsafe(this.entries.length * 2);
      this.entries.copy(grown);
      this.entries = grown;
    }
    copyRaw(raw, rawAt, this.entries, at);
    this.entries.writeUInt32LE(entry.offset, at + 32);
    this.entries.writeUInt32LE(entry.stored, at + 36);
    this.entries.writeUInt32LE(entry.full, at + 40);
    this.entries[at + 44] = entry.codec;
    this.entries[at + 45] = entry.kind;
    this.used++;
  }

  /** The sorted index alone. */
  rows(): Buffer {
    const all = this.finish();
    return all.subarray(0, all.length - PACK_TRAILER_BYTES);
  }

  /** The sorted index and the trailer: the last bytes of the pack. */
  finish(): Buffer {
    const { entries: rows, used } = this;
    const order = new Uint32Array(used);
    for (let i = 0; i < used; i++) order[i] = i;
    order.sort((a, b) => compareRows(rows, a, rows, b));
    const bytes = Buffer.alloc(used * INDEX_ENTRY_BYTES + PACK_TRAILER_BYTES);
    order.forEach((row, i) => {
      rows.copy(bytes, i * INDEX_ENTRY_BYTES, row * INDEX_ENTRY_BYTES, (row + 1) * INDEX_ENTRY_BYTES);
    });
    const end = used * INDEX_ENTRY_BYTES;
    bytes.writeUInt32LE(used, end);
    rawDigestOf(bytes.subarray(0, end)).copy(bytes, end + 8);
    END_MAGIC.copy(bytes, end + 40);
    return bytes;
  }
}

function compareRows(a: Buffer, rowA: number, b: Buffer, rowB: number): number {
  const atA = rowA * INDEX_ENTRY_BYTES;
  const atB = rowB * INDEX_ENTRY_BYTES;
  const first = a.readUInt32BE(atA) - b.readUInt32BE(atB);
  return first !== 0 ? first : a.compare(b, atB + 4, atB + RAW_DIGEST_BYTES, atA + 4, atA + RAW_DIGEST_BYTES);
}

/** The index of one pack, checked, in memory as it is on disk. */
export class PackIndex {
  private readonly rows: Buffer;
  /** Number of rows whose digest begins with a smaller byte: it cuts the search in half, and in half again, eight times. */
  private readonly fanOut: Uint32Array = new Uint32Array(257);
  private heads: Uint32Array | undefined;
  readonly count: number;

  constructor(rows: Buffer) {
    this.rows = rows;
    this.count = rows.length / INDEX_ENTRY_BYTES;
    const { fanOut } = this;
    for (let at = 0; at < rows.length; at += INDEX_ENTRY_BYTES) {
      const next = (rows[at] ?? 0) + 1;
      fanOut[next] = (fanOut[next] ?? 0) + 1;
    }
    for (let byte = 1; byte < fanOut.length; byte++) fanOut[byte] = (fanOut[byte] ?? 0) + (fanOut[byte - 1] ?? 0);
  }

  /** The row of a digest (32 bytes at `rawAt` in `raw`), or -1. */
  find(raw: Buffer, rawAt = 0): number {
    this.heads ??= headsOf(this.rows);
    const { heads } = this;
    const first = raw[rawAt] ?? 0;
    const key = headAt(raw, rawAt);
    let low = this.fanOut[first] ?? 0;
    let high = this.fanOut[first + 1] ?? 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = middle * INDEX_ENTRY_BYTES;
      const here = heads[middle] ?? 0;
      const order =
        here !== key
          ? here - key
          : equalRaw(this.rows, at, raw, rawAt)
            ? 0
            : this.rows.compare(raw, rawAt, rawAt + RAW_DIGEST_BYTES, at, at + RAW_DIGEST_BYTES);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** The kind that stands in a row. */
  kind(row: number): number {
    return this.rows[row * INDEX_ENTRY_BYTES + 45] ?? 0;
  }

  /** What stands in a row. */
  entry(row: number): PackEntry {
    const at = row * INDEX_ENTRY_BYTES;
    return {
      offset: this.rows.readUInt32LE(at + 32),
      stored: this.rows.readUInt32LE(at + 36),
      full: this.rows.readUInt32LE(at + 40),
      codec: this.rows.readUInt8(at + 44),
      kind: this.rows.readUInt8(at + 45),
    };
  }

  /** All entries, as they stand in the pack. */
  bytes(): Buffer {
    return this.rows;
  }

  /** A view of the 32 digest bytes of a row. */
  raw(row: number): Buffer {
    const at = row * INDEX_ENTRY_BYTES;
    return this.rows.subarray(at, at + RAW_DIGEST_BYTES);
  }
}

/** The first four bytes of each row's digest as numbers: a search over them costs a fraction of one over bytes. */
function headsOf(rows: Buffer): Uint32Array {
  const heads = new Uint32Array(rows.length / INDEX_ENTRY_BYTES);
  for (let row = 0; row < heads.length; row++) heads[row] = headAt(rows, row * INDEX_ENTRY_BYTES);
  return heads;
}

function headAt(bytes: Buffer, at: number): number {
  const head =
    ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return head >>> 0;
}

/** Checks a pack's first bytes and says what it holds. Throws `ERR_PACK_INVALID` or `ERR_FORMAT_VERSION`. */
export function parsePackHeader(bytes: Buffer, where: string): number {
  if (bytes.length < PACK_HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) {
    return failPack(where, 'it does not begin like a pack');
  }
  if (bytes.readUInt8(4) !== VERSION) {
    throw new SluiceError('ERR_FORMAT_VERSION', `pack ${where} was written by a newer Sluice`, {
      hint: 'Update Sluice in this workspace.',
    });
  }
  const content = bytes.readUInt8(5);
  if (content > TREES || bytes.readUInt16LE(6) !== 0) failPack(where, 'its header has unknown values');
  return content;
}

/** How many bytes at the end of a pack its index and trailer take, from its last {@link PACK_TRAILER_BYTES} bytes. Throws `ERR_PACK_INVALID`. */
export function packTailBytes(trailer: Buffer, packBytes: number, where: string): number {
  const at = trailer.length - PACK_TRAILER_BYTES;
  if (at < 0 || packBytes > MAX_PACK_BYTES || !trailer.subarray(at + 40).equals(END_MAGIC)) {
    return failPack(where, 'it does not end like a pack');
  }
  const tail = trailer.readUInt32LE(at) * INDEX_ENTRY_BYTES + PACK_TRAILER_BYTES;
  if (tail > packBytes - PACK_HEADER_BYTES || trailer.readUInt32LE(at + 4) !== 0) {
    failPack(where, 'its index does not fit into it');
  }
  return tail;
}

/** Checks index and trailer (`tail`: the last {@link packTailBytes} bytes). Throws `ERR_PACK_INVALID`. */
export function parsePackTail(tail: Buffer, packBytes: number, where: string): PackIndex {
  if (packTailBytes(tail, packBytes, where) !== tail.length) failPack(where, 'its index is cut off');
  const rows = tail.subarray(0, tail.length - PACK_TRAILER_BYTES);
  const checksum = tail.subarray(rows.length + 8, rows.length + 40);
  if (!rawDigestOf(rows).equals(checksum)) failPack(where, 'its index does not have its checksum');
  const index = new PackIndex(rows);
  const dataEnd = packBytes - tail.length;
  for (let row = 0; row < index.count; row++) {
    if (row > 0 && compareRows(rows, row - 1, rows, row) >= 0) failPack(where, 'its index is not in order');
    const at = row * INDEX_ENTRY_BYTES;
    const offset = rows.readUInt32LE(at + 32);
    const stored = rows.readUInt32LE(at + 36);
    if (offset < PACK_HEADER_BYTES || offset + OBJECT_HEADER_BYTES + stored > dataEnd) {
      failPack(where, 'an object lies outside it');
    }
    if (rows.readUInt8(at + 44) === CODEC_NONE && rows.readUInt32LE(at + 40) !== stored) {
      failPack(where, 'two lengths of an object differ');
    }
    if (rows.readUInt8(at + 45) > NODE_PART) failPack(where, 'a kind of object is not known');
  }
  return index;
}

function failPack(where: string, problem: string): never {
  throw new SluiceError('ERR_PACK_INVALID', `pack ${where} is damaged: ${problem}`);
}
