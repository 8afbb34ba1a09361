import { SluiceError } from '../errors.js';
import { ByteReader } from './bytes.js';
import { RAW_DIGEST_BYTES, rawDigestOf } from './digest.js';
import { CODEC_NONE } from './pack.js';
import { MAX_DEPTH } from './tree.js';

/** How a node or a blob is to be found, as it stands in a map. */
export const IN_PACK = 0;
/** Only for a node: in another map. */
export const IN_MAP = 1;
/** Only for a node: in a pack, as what it has that another node, its base, has not: `base.ts`. */
export const PATCHED = 2;
/** Only for a blob: a key of its own. */
export const OWN_KEY = 1;
/** Only for a blob: in chunks. */
export const IN_CHUNKS = 2;

/** A blob of at least this size has a key of its own on a remote, or lies in chunks. */
export const OWN_KEY_BYTES: number = 8 * 1024 * 1024;
/** Bytes that one slice digest of such a blob covers. */
export const SLICE_BYTES: number = 1024 * 1024;

/** A header of version 1. @internal */
export const MAP_HEADER_BYTES = 156;
/** A header of version 4: that of version 3 and a signature. */
export const LARGEST_MAP_HEADER_BYTES = 196;
export const NODE_ROW_BYTES = 32;
export const LOCATION_BYTES = 16;
/** A chunk of a blob, or a base: `chunk.ts`. */
export const CHUNK_ROW_BYTES = 48;
/** Raw bytes of a pack's name. */
export const PACK_NAME_BYTES = 16;
/** Areas as they stand in a map: `trusted`, `shared`, and the `pr/<n>` in which the map lies. */
const LARGEST_AREA = 2;
/** Most packs, and most other maps, that one map names: their numbers are 16 bits wide. */
const MAX_MAP_TABLE = 65_535;

export const MAP_MAGIC: Buffer = Buffer.from('SLMP');
/** The version of a map that has neither chunks nor bases. */
export const PLAIN_VERSION = 1;
/** The version of a map with chunks. */
export const CHUNKS_VERSION = 2;
/** The version of a map with bases. */
export const BASES_VERSION = 3;
const PACK_ROW_BYTES = 1 + PACK_NAME_BYTES;
const MAP_ROW_BYTES = 1 + RAW_DIGEST_BYTES;
/** The version of a map that is signed. */
export const SIGNED_VERSION = 4;
/** Where the checksums are, from the end of the header, or from the signature that is there. */
export const BODY_SUM_BEFORE = 64;
export const FRONT_SUM_BEFORE = 32;

/** What a map says about its root, and how long its sections are. */
export interface MapHeader {
  readonly rootKind: 'blob' | 'tree';
  /** 32 raw bytes. */
  readonly root: Buffer;
  readonly files: number;
  readonly bytes: number;
  readonly blobBytes: number;
  readonly blobs: number;
  readonly trees: number;
  readonly packs: number;
  readonly maps: number;
  readonly nodes: number;
  readonly locations: number;
  readonly slices: number;
  readonly chunks: number;
  readonly bases: number;
  readonly headerBytes: number;
  /** Where the checksums of the header end. */
  readonly sumsEnd: number;
  /** Offset of the blob locations: what lies before is the front. */
  readonly frontBytes: number;
  /** Length of the whole map. */
  readonly totalBytes: number;
  /** What is signed, which vouches for all of the map, and the signature. `undefined` for a map that is not. */
  readonly signed: { readonly bytes: Buffer; readonly signature: Buffer } | undefined;
}

/** A pack or a map that a map names: its area and its raw name or root. */
export interface MapName {
  readonly area: number;
  readonly raw: Buffer;
}

/** One node row. */
export interface NodeRow {
  readonly how: typeof IN_PACK | typeof IN_MAP | typeof PATCHED;
  readonly codec: number;
  /** Number of the pack or of the other map. */
  readonly place: number;
  /** Offset of the object's header in the pack, or the node's number in the other map. */
  readonly offset: number;
  readonly stored: number;
  readonly full: number;
  /** Nodes and trees in the subtree, the node included. */
  readonly nodes: number;
  readonly trees: number;
  readonly firstLocation: number;
  readonly locations: number;
}

/** One blob location. */
export interface BlobLocation {
  readonly how: typeof IN_PACK | typeof OWN_KEY | typeof IN_CHUNKS;
  readonly codec: number;
  /** Number of the pack; 0 unless in a pack. */
  readonly pack: number;
  /** Offset of the object's header in the pack, or the first slice or chunk. */
  readonly offset: number;
  /** Stored bytes, or number of chunks. */
  readonly stored: number;
  /** Area of a key of its own. */
  readonly area: number;
}

/** Everything before the blob locations: enough to know what a map needs and to find any node. */
export interface MapFront {
  readonly header: MapHeader;
  readonly packs: readonly MapName[];
  readonly maps: readonly MapName[];
  readonly nodes: NodeRows;
  /** Where the bases of patched nodes lie, in the order of these nodes; each as a chunk. */
  readonly bases: Buffer;
}

/** The node rows of a map, in memory as they are on disk. */
export class NodeRows {
  private readonly rows: Buffer;
  /** Number of the first node that each row stands for. */
  private readonly numbers: Uint32Array;
  readonly count: number;

  /** `numbers` as {@link parseMapFront} has checked them. */
  constructor(rows: Buffer, numbers: Uint32Array) {
    this.rows = rows;
    this.numbers = numbers;
    this.count = numbers.length;
  }

  row(index: number): NodeRow {
    return readNodeRow(this.rows, index * NODE_ROW_BYTES);
  }

  /** The number of the node of a row. */
  number(index: number): number {
    return this.numbers[index] ?? 0;
  }

  /** How many nodes before the one of a row are patched. */
  patchedBefore(index: number): number {
    let patched = 0;
    for (let i = 0; i < index; i++) if (this.rows[i * NODE_ROW_BYTES] === PATCHED) patched++;
    return patched;
  }

  /** The row of a node, or of the subtree in another map that it lies in; -1 if the tree has fewer nodes. */
  find(number: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.numbers[middle] ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    return index >= 0 && number < this.number(index) + this.row(index).nodes ? index : -1;
  }
}

/** Reads the blob location at `at`; the caller has the bytes. Throws `ERR_MAP_INVALID`. */
export function readLocation(bytes: Buffer, at: number, front: MapFront, where: string): BlobLocation {
  const how = bytes.readUInt8(at);
  const location = {
    codec: bytes.readUInt8(at + 1),
    pack: bytes.readUInt16LE(at + 2),
    offset: bytes.readUInt32LE(at + 4),
    stored: bytes.readUInt32LE(at + 8),
    area: bytes.readUInt32LE(at + 12),
  };
  if (how === IN_PACK && location.pack < front.header.packs && location.area === 0) return { how, ...location };
  if (how === OWN_KEY && location.pack === 0 && location.stored === 0 && location.area <= LARGEST_AREA) {
    return { how, ...location };
  }
  if (how === IN_CHUNKS && location.pack === 0 && location.codec === 0 && location.area === 0) {
    const { chunks } = front.header;
    if (location.stored > 0 && location.offset + location.stored <= chunks) return { how, ...location };
  }
  return failMap(where, 'a blob location has unknown values');
}

/**
 * Reads the header of a map, at most {@link LARGEST_MAP_HEADER_BYTES} bytes; they are not compared with their checksum yet.
 * Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`.
 */
export function parseMapHeader(bytes: Buffer, where: string): MapHeader {
  const reader = new ByteReader(bytes, (problem) => failMap(where, problem));
  if (!reader.take(4).equals(MAP_MAGIC)) failMap(where, 'it does not begin like a map');
  const version = reader.u8();
  if (version > SIGNED_VERSION) {
    throw new SluiceError('ERR_FORMAT_VERSION', `map ${where} was written by a newer Sluice`, {
      hint: 'Update Sluice in this workspace.',
    });
  }
  const kind = reader.u8();
  if (version < PLAIN_VERSION || kind > 1 || reader.u16() !== 0) failMap(where, 'its header has unknown values');
  const root = Buffer.from(reader.take(RAW_DIGEST_BYTES));
  const [files, bytesBelow, blobBytes] = [reader.u64(), reader.u64(), reader.u64()];
  const [blobs, trees, packs, maps] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  const [nodes, locations, slices] = [reader.u32(), reader.u32(), reader.u32()];
  const chunks = version >= CHUNKS_VERSION ? reader.u32() : 0;
  const bases = version >= BASES_VERSION ? reader.u32() : 0;
  const sumsEnd = headerBytesOf(Math.min(version, BASES_VERSION));
  const headerBytes = version === SIGNED_VERSION ? LARGEST_MAP_HEADER_BYTES : sumsEnd;
  if (bytes.length < headerBytes) failMap(where, 'it is cut off');
  if (packs > MAX_MAP_TABLE || maps > MAX_MAP_TABLE) failMap(where, 'it names too many packs or maps');
  const rootKind = kind === 1 ? 'tree' : 'blob';
  if (rootKind === 'tree' ? nodes === 0 : nodes !== 0 || locations !== 1) {
    failMap(where, 'its nodes do not fit its root');
  }
  const tableBytes = packs * PACK_ROW_BYTES + maps * MAP_ROW_BYTES;
  const frontBytes = headerBytes + tableBytes + nodes * NODE_ROW_BYTES + bases * CHUNK_ROW_BYTES;
  const totalBytes = frontBytes + locations * LOCATION_BYTES + slices * RAW_DIGEST_BYTES + chunks * CHUNK_ROW_BYTES;
  const counts = { blobs, trees, packs, maps, nodes, locations, slices, chunks, bases, headerBytes, sumsEnd };
  const signed =
    version === SIGNED_VERSION
      ? { bytes: Buffer.from(bytes.subarray(0, sumsEnd)), signature: Buffer.from(bytes.subarray(sumsEnd, headerBytes)) }
      : undefined;
  return { rootKind, root, files, bytes: bytesBelow, blobBytes, ...counts, frontBytes, totalBytes, signed };
}

/** Reads and checks the first {@link MapHeader.frontBytes} bytes of a map. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
export function parseMapFront(bytes: Buffer, where: string): MapFront {
  const header = parseMapHeader(bytes, where);
  if (bytes.length < header.frontBytes) failMap(where, 'it is cut off');
  const frontSumAt = header.sumsEnd - FRONT_SUM_BEFORE;
  const rest = bytes.subarray(header.headerBytes, header.frontBytes);
  const sum = rawDigestOf(Buffer.concat([bytes.subarray(0, frontSumAt), rest]));
  if (!sum.equals(bytes.subarray(frontSumAt, header.sumsEnd))) failMap(where, 'its front does not have its checksum');
  const reader = new ByteReader(rest, (problem) => failMap(where, problem));
  const names = (count: number, length: number): MapName[] =>
    Array.from({ length: count }, () => {
      const area = reader.u8();
      if (area > LARGEST_AREA) failMap(where, 'an area is not known');
      return { area, raw: Buffer.from(reader.take(length)) };
    });
  const packs = names(header.packs, PACK_NAME_BYTES);
  const maps = names(header.maps, RAW_DIGEST_BYTES);
  const rows = Buffer.from(reader.take(header.nodes * NODE_ROW_BYTES));
  const bases = Buffer.from(reader.take(header.bases * CHUNK_ROW_BYTES));
  return { header, packs, maps, nodes: new NodeRows(rows, checkRows(rows, header, where)), bases };
}

/** A whole map. */
export interface DecodedMap {
  readonly front: MapFront;
  readonly locations: Buffer;
  readonly slices: Buffer;
  readonly chunks: Buffer;
}

/** Reads and checks a whole map; returns its front, its blob locations, its slices and its chunks. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
export function decodeMap(bytes: Buffer, where: string): DecodedMap {
  const front = parseMapFront(bytes, where);
  const { sumsEnd, frontBytes, totalBytes, locations, slices } = front.header;
  if (bytes.length !== totalBytes) failMap(where, 'it does not have its length');
  const body = bytes.subarray(frontBytes);
  const sum = bytes.subarray(sumsEnd - BODY_SUM_BEFORE, sumsEnd - FRONT_SUM_BEFORE);
  if (!rawDigestOf(body).equals(sum)) {
    failMap(where, 'its locations do not have their checksum');
  }
  const end = locations * LOCATION_BYTES;
  for (let at = 0; at < end; at += LOCATION_BYTES) {
    const location = readLocation(body, at, front, where);
    if (location.how === OWN_KEY && location.offset > slices) failMap(where, 'a slice lies outside it');
  }
  const slicesEnd = end + slices * RAW_DIGEST_BYTES;
  return {
    front,
    locations: body.subarray(0, end),
    slices: body.subarray(end, slicesEnd),
    chunks: body.subarray(slicesEnd),
  };
}

/** Whether an object of a size can have so many stored bytes: just as many, or fewer if it is compressed, which only small ones are. */
export function isStoredSize(codec: number, stored: number, size: number): boolean {
  return codec === CODEC_NONE ? stored === size : stored < size && size < OWN_KEY_BYTES;
}

/** Throws `ERR_MAP_INVALID`. */
export function failMap(where: string, problem: string): never {
  throw damagedMap(where, problem);
}

/** The error for a map that cannot be right. */
export function damagedMap(where: string, problem: string): SluiceError {
  return new SluiceError('ERR_MAP_INVALID', `map ${where} is damaged: ${problem}`, {
    hint: 'Push the root again from a workspace that has it, or run `sluice push --verify`.',
  });
}

/** Length of a header without a signature: each version has a number more. */
export function headerBytesOf(version: number): number {
  return MAP_HEADER_BYTES + 4 * (version - PLAIN_VERSION);
}

function howOf(how: number): NodeRow['how'] {
  return how === IN_MAP ? IN_MAP : how === PATCHED ? PATCHED : IN_PACK;
}

function readNodeRow(rows: Buffer, at: number): NodeRow {
  return {
    how: howOf(rows.readUInt8(at)),
    codec: rows.readUInt8(at + 1),
    place: rows.readUInt16LE(at + 2),
    offset: rows.readUInt32LE(at + 4),
    stored: rows.readUInt32LE(at + 8),
    full: rows.readUInt32LE(at + 12),
    nodes: rows.readUInt32LE(at + 16),
    trees: rows.readUInt32LE(at + 20),
    firstLocation: rows.readUInt32LE(at + 24),
    locations: rows.readUInt32LE(at + 28),
  };
}

/** Compares every row with the subtrees around it and gives the number of the first node of each. */
function checkRows(rows: Buffer, header: MapHeader, where: string): Uint32Array {
  const numbers = new Uint32Array(header.nodes);
  // Ends of the subtrees that the current row lies in: behind their last node, tree and location.
  const open: { node: number; location: number }[] = [];
  let number = 0;
  let location = 0;
  let patched = 0;
  for (let i = 0; i < header.nodes; i++) {
    const row = readNodeRow(rows, i * NODE_ROW_BYTES);
    while (open.length > 0 && open[open.length - 1]?.node === number) location = open.pop()?.location ?? 0;
    if (i > 0 && open.length === 0) failMap(where, 'rows follow the last node');
    const parent = open[open.length - 1];
    numbers[i] = number;
    const inMap = row.how === IN_MAP;
    if (row.how === PATCHED) patched++;
    if (rows.readUInt8(i * NODE_ROW_BYTES) > PATCHED) failMap(where, 'a node row has unknown values');
    if (row.place >= (inMap ? header.maps : header.packs))
      failMap(where, 'a node lies in no pack or map of its tables');
    if (row.nodes === 0 || row.trees > row.nodes) failMap(where, 'the nodes of a subtree do not add up');
    if (inMap && (row.stored !== 0 || row.full !== 0 || row.locations !== 0)) {
      failMap(where, 'a node of another map has lengths here');
    }
    if (i === 0 && row.locations !== header.locations) failMap(where, 'its locations do not add up');
    const end = { node: number + row.nodes, location: row.firstLocation + row.locations };
    if (row.firstLocation < location || end.location > (parent?.location ?? header.locations)) {
      failMap(where, 'the locations of a subtree lie outside it');
    }
    if (end.node > (parent?.node ?? 2 ** 32 - 1)) failMap(where, 'a subtree reaches out of the one around it');
    if (inMap) number += row.nodes;
    else {
      number++;
      open.push(end);
      if (open.length > MAX_DEPTH * 2 + 2) failMap(where, 'it is nested too deep');
    }
    location = row.firstLocation;
  }
  while (open.length > 0 && open[open.length - 1]?.node === number) open.pop();
  if (open.length > 0) failMap(where, 'nodes are missing');
  if (patched !== header.bases) failMap(where, 'a base is missing');
  return numbers;
}
