import type { ChunkRow } from '../model/chunk.js';
import { type Decode, openDecode } from '../model/decompress.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import { inlineReceiver } from '../store/receiver.js';
import type { Store } from '../store/store.js';
import { ArrivingFile } from './arriving-file.js';
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

/** A chunk, and where it begins in the blob. */
interface PlacedRow extends ChunkRow {
  readonly start: number;
}

/** Brings a blob in chunks into the store, each chunk checked, and the whole. Chunks that an earlier fetch has left are not asked for. */
export async function fetchChunked(
  store: Store,
  storage: Storage,
  source: ChunkedSource,
  arrival: Arrival,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { raw, size, map } = source;
  if (arrival.ingestor().has('blob', raw)) {
    arrival.came(raw, size);
    return arrival.advance(1, size);
  }
  const rows = await placedRows(source);
  // Chunks share the memory in which they came, so they cannot go to another thread one by one.
  const file = new ArrivingFile(store, inlineReceiver(store.files), raw, size);
  try {
    const lacking = file.isLeft ? await file.lacking(rows, signal) : rows;
    arrival.advance(0, size - bytesOf(lacking));
    for await (const { key, start, bytes } of readRows(storage, map, lacking, signal)) {
      if (bytes === 'lost' || bytes === 'damaged') {
        return arrival.failed((bytes === 'lost' ? missingAt : damagedAt)(storage, key, 'blob', raw, 0));
      }
      let at = start;
      for (const chunk of bytes) {
        await file.write(chunk, at);
        at += chunk.length;
      }
      arrival.advance(0, at - start);
    }
    if (!(await file.finish(arrival.ingestor)))
      return arrival.failed(damagedAt(storage, map.packKey(0), 'blob', raw, 0));
    arrival.came(raw, size);
    arrival.advance(1, 0);
  } finally {
    await file.release();
  }
}

function bytesOf(rows: readonly PlacedRow[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
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
  const rows = await placedRows(source);
  yield* readRows(
    storage,
    source.map,
    rows.filter(({ start, bytes }) => start + bytes > span.from && start < span.to),
    signal,
  );
}

/** Reads chunks in the order of their blob, one range ahead. */
async function* readRows(
  storage: Storage,
  map: RemoteMap,
  rows: readonly PlacedRow[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadChunks> {
  const ranges = await chunkRanges(map, rows);
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

/** The chunks of a blob, in order. Throws `ERR_MAP_INVALID`. */
async function placedRows({ map, size, first, count }: ChunkedSource): Promise<PlacedRow[]> {
  let start = 0;
  return (await map.chunksOf(size, first, count)).map((row) => {
    const placed = { ...row, start };
    start += row.bytes;
    return placed;
  });
}

/** The ranges of packs that hold chunks, in the order of their blob. Throws `ERR_FORMAT_VERSION`. */
async function chunkRanges(map: RemoteMap, rows: readonly PlacedRow[]): Promise<ChunkRange[]> {
  for (const { codec } of rows) expectCodec(codec, map.where);
  const decode = await openDecode(new Set(rows.map(({ codec }) => codec)));
  const ranges: ChunkRange[] = [];
  for (let from = 0; from < rows.length; ) {
    const together = nextRange(rows, from);
    const offset = startOf(together[0]);
    const key = map.packKey(together[0]?.pack ?? 0);
    const length = Math.max(...together.map((row) => startOf(row) + row.stored)) - offset;
    const chunks: ChunkRange['chunks'] = (bytes) => chunksIn(bytes, offset, together, decode);
    ranges.push({ start: together[0]?.start ?? 0, key, offset, length, chunks });
    from += together.length;
  }
  return ranges;
}

/** Chunks from one on that follow each other in the blob, and lie in one pack, one behind the other, close together. */
function nextRange(rows: readonly PlacedRow[], from: number): PlacedRow[] {
  const first = rows[from];
  if (first === undefined) return [];
  const together = [first];
  let end = startOf(first) + first.stored;
  let behind = first.start + first.bytes;
  for (let i = from + 1; ; i++) {
    const row = rows[i];
    if (row === undefined || row.pack !== first.pack || row.start !== behind) return together;
    const at = startOf(row);
    if (at < end || at - end > GAP_BYTES || at + row.stored - startOf(first) > WINDOW_BYTES) return together;
    together.push(row);
    end = at + row.stored;
    behind += row.bytes;
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
