import type { CutBlob } from '../model/cutter.js';
import { type EncodedPack, encodePack, type RawPack } from '../model/encode-pack.js';
import { Catalog } from '../store/catalog.js';
import { type CutRequest, cutBlob } from '../store/cut-blob.js';
import type { Files } from '../store/files.js';
import { GrowingFile } from '../store/growing-file.js';
import { Ingestor, type IngestSettings, type Unpublished } from '../store/ingest.js';
import { storeLayout } from '../store/layout.js';
import { ObjectReader } from '../store/reader.js';
import { type HashBatch, type HashResult, hashBatch, scratchBuffer } from './hash-batch.js';
import { type PlaceBatch, type PlaceResult, placeBatch } from './place-batch.js';
import { type EntryColumns, entryColumns, type StatBatch, statEntries } from './stat-entries.js';

/** What a thread can be asked to do. Each request has one answer. `id` tells ingests apart that go on at the same time. */
export type ThreadRequest =
  | { readonly do: 'stat'; readonly batch: StatBatch }
  | { readonly do: 'hash'; readonly batch: HashBatch }
  | { readonly do: 'begin-ingest'; readonly id: string; readonly storeDir: string; readonly settings: IngestSettings }
  | { readonly do: 'ingest'; readonly id: string; readonly batch: HashBatch }
  | { readonly do: 'finish-ingest'; readonly id: string }
  | { readonly do: 'abandon-ingest'; readonly id: string }
  | { readonly do: 'place'; readonly storeDir: string; readonly batch: PlaceBatch }
  | { readonly do: 'end-place' }
  | { readonly do: 'encode'; readonly pack: RawPack }
  | { readonly do: 'cut'; readonly storeDir: string; readonly blob: CutRequest }
  | { readonly do: 'receive'; readonly path: string; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly do: 'finish-receiving'; readonly path: string; readonly size: number }
  | { readonly do: 'stop-receiving'; readonly path: string };

/** The answer to each request. */
export interface ThreadAnswers {
  readonly stat: EntryColumns;
  readonly hash: HashResult;
  readonly 'begin-ingest': null;
  readonly ingest: HashResult;
  readonly 'finish-ingest': Unpublished;
  readonly 'abandon-ingest': null;
  readonly place: PlaceResult;
  readonly 'end-place': null;
  readonly encode: EncodedPack;
  readonly cut: CutBlob;
  /** The same bytes. */
  readonly receive: Uint8Array;
  /** The SHA-256 of the file, or `null` if it is too short. */
  readonly 'finish-receiving': Uint8Array | null;
  readonly 'stop-receiving': null;
}

/** Memory that goes along with a request and with its answer, from one thread to the other, instead of being copied. */
export function memoryOf(request: ThreadRequest, answer?: ThreadAnswers[keyof ThreadAnswers]): ArrayBuffer[] {
  if (request.do === 'receive') return buffersOf([request.bytes]);
  if (request.do !== 'encode') return [];
  const { chunks } = answer !== undefined && answer !== null && 'chunks' in answer ? answer : request.pack;
  return buffersOf(chunks);
}

/** Small buffers share their memory with others, as do those that begin within it: they are copied. */
function buffersOf(chunks: readonly Uint8Array[]): ArrayBuffer[] {
  return chunks.flatMap(({ buffer, byteOffset }) =>
    buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength > Buffer.poolSize ? [buffer] : [],
  );
}

/** The state of one thread of bulk work: the main thread has one for small jobs, each worker has one. */
export class BulkThread {
  private readonly files: Files;
  private scratch: Buffer | undefined;
  private readonly ingestors = new Map<string, Ingestor>();
  private readonly growing = new Map<string, GrowingFile>();
  private reader: { readonly dir: string; readonly reader: ObjectReader } | undefined;

  constructor(files: Files) {
    this.files = files;
  }

  /** Does what is asked. Throws what the work throws. */
  handle<R extends ThreadRequest>(request: R): ThreadAnswers[R['do']];
  handle(request: ThreadRequest): ThreadAnswers[keyof ThreadAnswers] {
    switch (request.do) {
      case 'stat': {
        const columns = entryColumns(request.batch.names.length);
        statEntries(request.batch, columns, 0);
        return columns;
      }
      case 'hash':
        return hashBatch(request.batch, undefined, this.buffer());
      case 'begin-ingest': {
        const layout = storeLayout(request.storeDir);
        this.ingestors.set(request.id, new Ingestor(this.files, request.settings, new Catalog(this.files, layout)));
        return null;
      }
      case 'ingest':
        return hashBatch(request.batch, this.openIngestor(request.id), this.buffer());
      case 'finish-ingest': {
        const unpublished = this.openIngestor(request.id).finish();
        this.ingestors.delete(request.id);
        return unpublished;
      }
      case 'abandon-ingest':
        this.ingestors.get(request.id)?.abandon();
        this.ingestors.delete(request.id);
        return null;
      case 'place':
        return placeBatch(request.batch, this.openReader(request.storeDir), this.files);
      case 'end-place':
        this.reader?.reader.close();
        this.reader = undefined;
        return null;
      case 'encode':
        return encodePack(request.pack);
      case 'cut':
        return cutBlob(this.openReader(request.storeDir), request.blob);
      case 'receive':
        this.openGrowing(request.path).write(request.bytes, request.offset);
        return request.bytes;
      case 'finish-receiving': {
        const file = this.openGrowing(request.path);
        this.growing.delete(request.path);
        return file.finish(request.size) ?? null;
      }
      case 'stop-receiving':
        this.growing.get(request.path)?.close();
        this.growing.delete(request.path);
        return null;
    }
  }

  private buffer(): Buffer {
    this.scratch ??= scratchBuffer();
    return this.scratch;
  }

  private openIngestor(id: string): Ingestor {
    const ingestor = this.ingestors.get(id);
    if (ingestor === undefined) throw new Error('no such ingest was begun on this thread');
    return ingestor;
  }

  private openGrowing(path: string): GrowingFile {
    const file = this.growing.get(path) ?? new GrowingFile(this.files, path);
    this.growing.set(path, file);
    return file;
  }

  private openReader(dir: string): ObjectReader {
    if (this.reader?.dir !== dir) {
      this.reader?.reader.close();
      this.reader = { dir, reader: new ObjectReader(this.files, storeLayout(dir)) };
    }
    return this.reader.reader;
  }
}
