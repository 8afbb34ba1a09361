import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import type { ArrivingBlob, Ingestor } from '../store/ingest.js';
import { LOOSE_BYTES } from '../store/layout.js';
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
}

/** Is told of each blob that came. */
export type Received = (raw: Buffer, bytes: number) => Promise<void> | void;

/** Bytes asked for at once. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Two blobs this close are asked for together: the bytes between cost less than another request at 30 ms and 1 Gbit/s over 64 connections. */
const GAP_BYTES = 58 * 1024;

/** Brings the blobs of a pack into the store, in the order of their offsets, each checked. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
export async function fetchPacked(
  storage: Storage,
  source: BlobSource,
  ingestor: () => Ingestor,
  received: Received,
  signal: AbortSignal | undefined,
): Promise<void> {
  const order = source.offsets.map((_, i) => i).sort((a, b) => (source.offsets[a] ?? 0) - (source.offsets[b] ?? 0));
  for (let from = 0; from < order.length; ) {
    const start = (source.offsets[order[from] ?? 0] ?? 0) + OBJECT_HEADER_BYTES;
    let to = from;
    let end = start;
    for (; to < order.length; to++) {
      const at = (source.offsets[order[to] ?? 0] ?? 0) + OBJECT_HEADER_BYTES;
      const behind = at + (source.sizes[order[to] ?? 0] ?? 0);
      if (to > from && (at - end > GAP_BYTES || behind - start > WINDOW_BYTES)) break;
      end = Math.max(end, behind);
    }
    const window = await storage.get(source.key, { offset: start, length: Math.max(1, end - start) }, { signal });
    for (let i = from; i < to; i++) {
      const blob = order[i] ?? 0;
      const raw = source.digests[blob] ?? Buffer.alloc(RAW_DIGEST_BYTES);
      if (window === undefined) throw missingAt(storage, source.key, 'blob', raw, 0);
      const at = (source.offsets[blob] ?? 0) + OBJECT_HEADER_BYTES - start;
      const bytes = window.subarray(at, at + (source.sizes[blob] ?? 0));
      if (!hasDigest(bytes, raw, 0)) throw damagedAt(storage, source.key, 'blob', raw, 0);
      if (bytes.length < LOOSE_BYTES) ingestor().addBytes('blob', bytes, raw, 0);
      else {
        const arriving = ingestor().beginBlob(raw, 0);
        arriving?.write(bytes);
        arriving?.finish();
      }
      await received(raw, bytes.length);
    }
    from = to;
  }
}

/** Brings a blob that has a key of its own, a window at a time. Throws like {@link fetchPacked}. */
export async function fetchWhole(
  storage: Storage,
  source: BlobSource,
  ingestor: () => Ingestor,
  received: Received,
  signal: AbortSignal | undefined,
): Promise<void> {
  const raw = source.digests[0] ?? Buffer.alloc(RAW_DIGEST_BYTES);
  const size = source.sizes[0] ?? 0;
  const arriving = ingestor().beginBlob(raw, 0);
  if (arriving === undefined) return;
  try {
    await receive(storage, source.key, raw, size, arriving, signal);
  } catch (error) {
    arriving.abandon();
    throw error;
  }
  if (!arriving.finish()) throw damagedAt(storage, source.key, 'blob', raw, 0);
  await received(raw, size);
}

async function receive(
  storage: Storage,
  key: StorageKey,
  raw: Buffer,
  size: number,
  arriving: ArrivingBlob,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let offset = 0; offset < size; ) {
    const chunk = await storage.get(key, { offset, length: Math.min(WINDOW_BYTES, size - offset) }, { signal });
    if (chunk === undefined || chunk.length === 0) throw missingAt(storage, key, 'blob', raw, 0);
    arriving.write(chunk);
    offset += chunk.length;
  }
}
