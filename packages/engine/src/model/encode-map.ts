import { RAW_DIGEST_BYTES, rawDigestOf } from './digest.js';
import {
  BASES_VERSION,
  type BlobLocation,
  BODY_SUM_BEFORE,
  CHUNK_ROW_BYTES,
  CHUNKS_VERSION,
  FRONT_SUM_BEFORE,
  headerBytesOf,
  LOCATION_BYTES,
  MAP_MAGIC,
  type MapHeader,
  type MapName,
  NODE_ROW_BYTES,
  type NodeRow,
  PLAIN_VERSION,
} from './map.js';

/** What is needed to write a map; sections are encoded already. */
export interface MapDraft
  extends Pick<MapHeader, 'rootKind' | 'root' | 'files' | 'bytes' | 'blobBytes' | 'blobs' | 'trees'> {
  readonly packs: readonly MapName[];
  readonly maps: readonly MapName[];
  readonly nodes: Buffer;
  readonly locations: Buffer;
  readonly slices: Buffer;
  readonly chunks?: Buffer;
  readonly bases?: Buffer;
}

/** The bytes of a map. */
export function encodeMap(draft: MapDraft): Buffer {
  const { packs, maps, nodes, locations, slices, chunks = Buffer.alloc(0), bases = Buffer.alloc(0) } = draft;
  const tables = Buffer.concat([...packs, ...maps].flatMap(({ area, raw }) => [Buffer.from([area]), raw]));
  const version = bases.length > 0 ? BASES_VERSION : chunks.length > 0 ? CHUNKS_VERSION : PLAIN_VERSION;
  const header = Buffer.alloc(headerBytesOf(version));
  MAP_MAGIC.copy(header);
  header[4] = version;
  header[5] = draft.rootKind === 'tree' ? 1 : 0;
  draft.root.copy(header, 8);
  header.writeBigUInt64LE(BigInt(draft.files), 40);
  header.writeBigUInt64LE(BigInt(draft.bytes), 48);
  header.writeBigUInt64LE(BigInt(draft.blobBytes), 56);
  const counts = [draft.blobs, draft.trees, packs.length, maps.length];
  counts.push(nodes.length / NODE_ROW_BYTES, locations.length / LOCATION_BYTES, slices.length / RAW_DIGEST_BYTES);
  if (version >= CHUNKS_VERSION) counts.push(chunks.length / CHUNK_ROW_BYTES);
  if (version >= BASES_VERSION) counts.push(bases.length / CHUNK_ROW_BYTES);
  counts.forEach((count, i) => {
    header.writeUInt32LE(count, 64 + 4 * i);
  });
  const body = Buffer.concat([locations, slices, chunks]);
  const frontSumAt = header.length - FRONT_SUM_BEFORE;
  rawDigestOf(body).copy(header, header.length - BODY_SUM_BEFORE);
  rawDigestOf(Buffer.concat([header.subarray(0, frontSumAt), tables, nodes, bases])).copy(header, frontSumAt);
  return Buffer.concat([header, tables, nodes, bases, body]);
}

/** Writes a node row at `at`. */
export function writeNodeRow(bytes: Buffer, at: number, row: NodeRow): void {
  bytes[at] = row.how;
  bytes[at + 1] = row.codec;
  bytes.writeUInt16LE(row.place, at + 2);
  bytes.writeUInt32LE(row.offset, at + 4);
  bytes.writeUInt32LE(row.stored, at + 8);
  bytes.writeUInt32LE(row.full, at + 12);
  bytes.writeUInt32LE(row.nodes, at + 16);
  bytes.writeUInt32LE(row.trees, at + 20);
  bytes.writeUInt32LE(row.firstLocation, at + 24);
  bytes.writeUInt32LE(row.locations, at + 28);
}

/** Writes a blob location at `at`. */
export function writeLocation(bytes: Buffer, at: number, location: BlobLocation): void {
  bytes[at] = location.how;
  bytes[at + 1] = location.codec;
  bytes.writeUInt16LE(location.pack, at + 2);
  bytes.writeUInt32LE(location.offset, at + 4);
  bytes.writeUInt32LE(location.stored, at + 8);
  bytes.writeUInt32LE(location.area, at + 12);
}
