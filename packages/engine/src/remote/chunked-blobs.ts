import { throwIfAborted } from '../errors.js';
import { type CutBlob, type Cuts, chunkRaw } from '../model/cutter.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import type { DigestTable } from '../model/digest-table.js';
import type { Encoder } from '../store/encoder.js';
import type { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import { cutsRecord } from './have-cuts.js';
import { appendHave } from './have-file.js';
import type { HaveIndex } from './have-index.js';
import { damagedLocally, openLocalRanges } from './local-range.js';
import type { PackPlace, PlacedChunk } from './map-builder.js';
import { hasDigest } from './remote-nodes.js';

/** A blob in chunks, as a map is to say it. */
export interface PlacedBlob {
  readonly chunks: readonly PlacedChunk[];
  /** Bytes of the chunks that had to be sent for it. */
  readonly sentBytes: number;
}

/** Where a chunk lies already. */
export type FindChunk = (raw: Buffer) => PackPlace | undefined;

/** What sends a chunk. */
export interface ChunkSink {
  addChunk(raw: Buffer, bytes: Buffer): PackPlace;
  sendFull(): Promise<void>;
}

/** What chunks are made of, and from. */
export interface ChunkedBlobsContext {
  readonly store: Store;
  readonly remote: string;
  readonly reader: ObjectReader;
  readonly encoder: Encoder;
  readonly have: HaveIndex;
  readonly signal: AbortSignal | undefined;
}

/** Sends blobs in chunks, those chunks that are not there. */
export class ChunkedBlobs {
  private readonly context: ChunkedBlobsContext;
  private readonly cuts = new Map<string, CutBlob>();

  constructor(context: ChunkedBlobsContext) {
    this.context = context;
  }

  /** A blob that was cut before, by this push or another, and of which every chunk is there; the store need not have it. */
  known(raw: Buffer, size: number, find: FindChunk): PlacedBlob | undefined {
    const cut = this.cuts.get(raw.toString('hex')) ?? this.context.have.cuts(raw, size);
    if (cut === undefined) return undefined;
    const chunks: PlacedChunk[] = [];
    for (const chunk of chunksOf(cut)) {
      const place = find(chunk.raw);
      if (place === undefined) return undefined;
      chunks.push({ raw: chunk.raw, bytes: chunk.bytes, place });
    }
    return { chunks, sentBytes: 0 };
  }

  /** Cuts a blob of the store and sends the chunks that are not there. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
  async send(raw: Buffer, size: number, cuts: Cuts, find: FindChunk, sink: ChunkSink): Promise<PlacedBlob> {
    const { store, reader, signal } = this.context;
    const cut = await this.cut(raw, size, cuts);
    const local = openLocalRanges(store, reader, raw);
    const chunks: PlacedChunk[] = [];
    let sentBytes = 0;
    try {
      for (const chunk of chunksOf(cut)) {
        let place = find(chunk.raw);
        if (place === undefined) {
          throwIfAborted(signal);
          const bytes = local.read(chunk.offset, chunk.bytes);
          if (!hasDigest(bytes, chunk.raw, 0)) throw damagedLocally(raw);
          place = sink.addChunk(chunk.raw, bytes);
          sentBytes += chunk.bytes;
          await sink.sendFull();
        }
        chunks.push({ raw: chunk.raw, bytes: chunk.bytes, place });
      }
    } finally {
      local.close();
    }
    appendHave(store, this.context.remote, [cutsRecord(raw, size, cut)]);
    return { chunks, sentBytes };
  }

  /** How many bytes {@link send} would send. `counted`: chunks that would have been sent by then. Throws like it. */
  async count(raw: Buffer, size: number, cuts: Cuts, find: FindChunk, counted: DigestTable): Promise<number> {
    let bytes = 0;
    for (const chunk of chunksOf(await this.cut(raw, size, cuts))) {
      if (find(chunk.raw) === undefined && counted.set(chunk.raw)) bytes += chunk.bytes;
    }
    return bytes;
  }

  private async cut(raw: Buffer, size: number, cuts: Cuts): Promise<CutBlob> {
    const key = raw.toString('hex');
    const known = this.cuts.get(key);
    if (known !== undefined) return known;
    const cut = await this.context.encoder.cutBlob({ raw, size, cuts });
    this.cuts.set(key, cut);
    return cut;
  }
}

function* chunksOf(cut: CutBlob): Generator<{ raw: Buffer; bytes: number; offset: number }> {
  let offset = 0;
  for (const [i, bytes] of cut.lengths.entries()) {
    // Of its own: what it is noted in outlives the cut.
    yield { raw: Buffer.from(chunkRaw(cut, i).subarray(0, RAW_DIGEST_BYTES)), bytes, offset };
    offset += bytes;
  }
}
