import type { SluiceError } from '../errors.js';
import { type Decode, openDecode } from '../model/decompress.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import type { Ingestor } from '../store/ingest.js';
import { LOOSE_BYTES } from '../store/layout.js';
import type { Advance } from '../util/progress.js';
import type { WantedRange } from './fetch-ranges.js';
import { damagedAt, hasDigest, missingAt } from './remote-nodes.js';
import type { Storage, StorageKey } from './storage/port.js';

/** Blobs that lie in one object of the remote: many in a pack, or the only one under a key of its own. */
export interface BlobSource {
  readonly key: StorageKey;
  /** The only blob of a key of its own. */
  readonly whole: boolean;
  readonly digests: Buffer[];
  /** Offsets of headers in a pack. */
  readonly offsets: number[];
  readonly sizes: number[];
  /** Of a key of its own: reads the digests of the blob's slices from the map. */
  readonly slices: () => Promise<Buffer>;
  /** Bytes in the pack, and how they become the blob. */
  readonly stored: number[];
  readonly codecs: number[];
}

/** Where blobs go, and who is told of them. */
export interface Arrival {
  readonly ingestor: () => Ingestor;
  readonly came: (raw: Buffer, bytes: number) => void;
  /** Is told of files that are here, and of bytes as they come. */
  readonly advance: Advance;
  /** A blob that is missing or damaged there; the others come all the same. */
  readonly failed: (error: SluiceError) => void;
}

/** Bytes asked for at once. */
export const WINDOW_BYTES: number = 8 * 1024 * 1024;

/** Two blobs this close are asked for together: the bytes between cost less than another request at 30 ms and 1 Gbit/s over 64 connections. */
export const GAP_BYTES: number = 58 * 1024;

/** A run of blobs in a pack that is asked for at once: from and to are places in the order of offsets. */
interface Window {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly length: number;
}

/** The ranges of a pack that hold its blobs, in the order of their offsets; each blob is checked and brought into the store. */
export async function* packedRanges(
  storage: Storage,
  source: BlobSource,
  arrival: Arrival,
): AsyncGenerator<WantedRange> {
  const order = Uint32Array.from(source.offsets.keys()).sort(
    (a, b) => (source.offsets[a] ?? 0) - (source.offsets[b] ?? 0),
  );
  const decode = await openDecode(source.codecs);
  for (let window = nextWindow(source, order, 0); window !== undefined; window = nextWindow(source, order, window.to)) {
    const { start: offset, length } = window;
    const take = takeWindow.bind(undefined, storage, source, order, window, decode, arrival);
    yield { key: source.key, offset, length, take };
  }
}

function nextWindow({ offsets, stored }: BlobSource, order: Uint32Array, from: number): Window | undefined {
  const startOf = (place: number): number => (offsets[order[place] ?? 0] ?? 0) + OBJECT_HEADER_BYTES;
  if (from >= order.length) return undefined;
  const start = startOf(from);
  let to = from;
  let end = start;
  for (; to < order.length; to++) {
    const at = startOf(to);
    const behind = at + (stored[order[to] ?? 0] ?? 0);
    if (to > from && (at - end > GAP_BYTES || behind - start > WINDOW_BYTES)) break;
    end = Math.max(end, behind);
  }
  return { from, to, start, length: Math.max(1, end - start) };
}

function takeWindow(
  storage: Storage,
  source: BlobSource,
  order: Uint32Array,
  window: Window,
  decode: Decode,
  arrival: Arrival,
  bytes: Buffer | undefined,
): void {
  for (let place = window.from; place < window.to; place++) {
    const blob = order[place] ?? 0;
    const raw = source.digests[blob] ?? Buffer.alloc(RAW_DIGEST_BYTES);
    const size = source.sizes[blob] ?? 0;
    const stored = source.stored[blob] ?? 0;
    const at = (source.offsets[blob] ?? 0) + OBJECT_HEADER_BYTES - window.start;
    if (bytes === undefined) arrival.failed(missingAt(storage, source.key, 'blob', raw, 0));
    else if (ingest(arrival.ingestor(), decode(source.codecs[blob] ?? 0, bytes.subarray(at, at + stored), size), raw)) {
      arrival.came(raw, size);
      arrival.advance(1, size);
    } else arrival.failed(damagedAt(storage, source.key, 'blob', raw, 0));
  }
}

/** Whether the bytes are those of the digest; then the store has them. */
function ingest(ingestor: Ingestor, bytes: Buffer | undefined, raw: Buffer): boolean {
  if (bytes === undefined) return false;
  if (bytes.length < LOOSE_BYTES) {
    if (!hasDigest(bytes, raw, 0)) return false;
    ingestor.addBytes('blob', bytes, raw, 0);
    return true;
  }
  const arriving = ingestor.beginBlob(raw, 0);
  if (arriving === undefined) return true;
  arriving.write(bytes);
  return arriving.finish();
}
