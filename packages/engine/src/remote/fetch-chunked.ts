import type { ChunkRow } from '../model/chunk.js';
import { type Decode, openDecode } from '../model/decompress.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import type { ArrivingBlob } from '../store/ingest.js';
import type { Arrival } from './fetch-blobs.js';
import type { RemoteMap } from './remote-map.js';
import { damagedAt, expectCodec, hasDigest, missingAt } from './remote-nodes.js';
import type { Storage, StorageKey } from './storage/port.js';

/** A blob that lies in chunks on a remote. */
export interface ChunkedSource {
  readonly raw: Buffer;
  readonly size: number;
  /** The map that says where, and which of its chunks. */
  readonly map: RemoteMap;
  readonly first: number;
  readonly count: number;
}

/** A part of a pack that is asked for with one request, and what becomes of it, in the order of the blob. */
interface ChunkRange {
  /** Where its first chunk begins in the blob. */
  readonly start: number;
  readonly key: StorageKey;
  readonly offset: number;
  readonly length: number;
  /** The chunks in it, verified; `undefined` if the pack is gone or what it has there is not them. */
  readonly chunks: (bytes: Buffer | undefined) => Buffer[] | undefined;
}

const WINDOW_BYTES = 8 * 1024 * 1024;
/** As for small blobs: two chunks this close come with one request. */
const GAP_BYTES = 58 * 1024;

/** Brings a blob in chunks into the store, each chunk checked, and the whole. */
export async function fetchChunked(
  storage: Storage,
  source: ChunkedSource,
  arrival: Arrival,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { raw, size } = source;
  let arriving: ArrivingBlob | undefined;
  try {
    for await (const { key, bytes } of readChunked(storage, source, signal)) {
      if (arriving === undefined) {
        arriving = arrival.ingestor().beginBlob(raw, 0);
        if (arriving === undefined) return arrival.came(raw, size);
      }
      if (bytes === 'lost' || bytes === 'damaged') {
        return arrival.failed((bytes === 'lost' ? missingAt : damagedAt)(storage, key, 'blob', raw, 0));
      }
      for (const chunk of bytes) arriving.write(chunk);
    }
    const finished = arriving?.finish();
    arriving = undefined;
    if (finished === true) arrival.came(raw, size);
    else arrival.failed(damagedAt(storage, source.map.packKey(0), 'blob', raw, 0));
  } finally {
    arriving?.abandon();
  }
}

/** Chunks that came with one request, or what is wrong with them. `start`: where the first of them begins in the blob. */
export interface ReadChunks {
  readonly key: StorageKey;
  readonly start: number;
  readonly bytes: readonly Buffer[] | 'lost' | 'damaged';
}

/**
 * Reads a blob in chunks to its end, one range ahead; the caller compares the whole. With `span`, only the chunks that hold these bytes are read: the first one, and the one
 * behind the last.
 */
export async function* readChunked(
  storage: Storage,
  source: ChunkedSource,
  signal: AbortSignal | undefined,
  span: { readonly from: number; readonly to: number } = { from: 0, to: source.size },
): AsyncGenerator<ReadChunks> {
  const ranges = await chunkRanges(source, span);
  const get = (i: number): Promise<Buffer | undefined> | undefined => {
    const range = ranges[i];
    if (range === undefined) return undefined;
    const coming = storage.get(range.key, { offset: range.offset, length: range.length }, { signal });
    // It is awaited one range later; until then its failure must not count as unhandled.
    coming.catch(() => {});
    return coming;
  };
  let coming = get(0);
  for (const [i, { key, start, chunks }] of ranges.entries()) {
    const bytes = await coming;
    coming = get(i + 1);
    yield { key, start, bytes: bytes === undefined ? 'lost' : (chunks(bytes) ?? 'damaged') };
  }
}

/** The ranges of packs that hold a blob's chunks, in the order of the blob. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
async function chunkRanges(
  { map, size, first, count }: ChunkedSource,
  { from: spanFrom, to: spanTo }: { readonly from: number; readonly to: number },
): Promise<ChunkRange[]> {
  const all = await map.chunksOf(size, first, count);
  let begin = 0;
  let behind = 0;
  const rows = all.filter((row) => {
    const at = behind;
    behind += row.bytes;
    if (behind <= spanFrom) begin = behind;
    return behind > spanFrom && at < spanTo;
  });
  for (const { codec } of rows) expectCodec(codec, map.where);
  const decode = await openDecode(new Set(rows.map(({ codec }) => codec)));
  const ranges: ChunkRange[] = [];
  for (let from = 0; from < rows.length; ) {
    const together = nextRange(rows, from);
    const offset = startOf(together[0]);
    const key = map.packKey(together[0]?.pack ?? 0);
    const length = Math.max(...together.map((row) => startOf(row) + row.stored)) - offset;
    ranges.push({ start: begin, key, offset, length, chunks: (bytes) => chunksIn(bytes, offset, together, decode) });
    begin += together.reduce((sum, { bytes }) => sum + bytes, 0);
    from += together.length;
  }
  return ranges;
}

/** Chunks from one on that lie in one pack, one behind the other, close together. */
function nextRange(rows: readonly ChunkRow[], from: number): ChunkRow[] {
  const first = rows[from];
  if (first === undefined) return [];
  const together = [first];
  let end = startOf(first) + first.stored;
  for (let i = from + 1; ; i++) {
    const row = rows[i];
    if (row === undefined || row.pack !== first.pack) return together;
    const at = startOf(row);
    if (at < end || at - end > GAP_BYTES || at + row.stored - startOf(first) > WINDOW_BYTES) return together;
    together.push(row);
    end = at + row.stored;
  }
}

function chunksIn(
  bytes: Buffer | undefined,
  start: number,
  rows: readonly ChunkRow[],
  decode: Decode,
): Buffer[] | undefined {
  const chunks: Buffer[] = [];
  for (const row of rows) {
    const at = startOf(row) - start;
    const chunk = bytes === undefined ? undefined : decode(row.codec, bytes.subarray(at, at + row.stored), row.bytes);
    if (chunk === undefined || !hasDigest(chunk, row.raw, 0)) return undefined;
    chunks.push(chunk);
  }
  return chunks;
}

function startOf(row: ChunkRow | undefined): number {
  return (row?.offset ?? 0) + OBJECT_HEADER_BYTES;
}
