import { createHash, hash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { SLICE_BYTES } from '../model/map.js';
import { BLOB, BLOBS, NODE, NODE_PART, TREES } from '../model/pack.js';
import { loadPack } from '../store/catalog.js';
import type { Files } from '../store/files.js';
import { missingError } from '../store/loose.js';
import { type FinishedPack, PackWriter } from '../store/pack-writer.js';
import type { Store } from '../store/store.js';
import type { Area } from './areas.js';
import type { HaveRecord } from './have-file.js';
import { blobRecord, type HaveBlob, packRecord } from './have-index.js';
import { blobKey, packKey } from './keys.js';
import type { PackPlace, PackRef } from './map-builder.js';
import type { Body, Storage } from './storage/port.js';

/** Bytes read at once from a finished pack or a large blob. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Packs on their way at once. */
const UPLOADS = 2;

/**
 * Sends objects: small ones in packs, large ones under keys of their own. Packs are sent as soon as they are full; {@link Uploader.finish} waits until
 * everything is durable.
 */
export class Uploader {
  /** What this push has put on the remote, for the have-index; complete after {@link finish}. */
  readonly records: HaveRecord[] = [];
  private readonly store: Store;
  private readonly storage: Storage;
  private readonly area: Area;
  private readonly signal: AbortSignal | undefined;
  private readonly writers: { readonly blob: PackWriter; readonly tree: PackWriter };
  private readonly sent = { blob: new DigestTable(), tree: new DigestTable() };
  private readonly places: PackPlace[] = [];
  private readonly refs = new Map<string, PackRef>();
  private readonly keys = new Map<string, HaveBlob>();
  private readonly uploads = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;

  constructor(store: Store, storage: Storage, area: Area, tmpDir: string, signal: AbortSignal | undefined) {
    this.store = store;
    this.storage = storage;
    this.area = area;
    this.signal = signal;
    // A temporary file need not survive the power: the remote makes its copy durable.
    this.writers = {
      blob: new PackWriter(store.files, 'none', tmpDir, BLOBS),
      tree: new PackWriter(store.files, 'none', tmpDir, TREES),
    };
  }

  /** Where an object lies that this push has sent. */
  placeOf(kind: 'blob' | 'tree', raw: Buffer, rawAt: number): PackPlace | undefined {
    const found = this.sent[kind].get(raw, rawAt);
    return found === undefined ? undefined : this.places[found];
  }

  /** A large blob that this push has sent. */
  keyOf(raw: Buffer, rawAt: number): HaveBlob | undefined {
    return this.keys.size === 0 ? undefined : this.keys.get(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES));
  }

  /** Puts a node into a pack. */
  addNode(bytes: Buffer, raw: Buffer, isPart: boolean): PackPlace {
    return this.append('tree', isPart ? NODE_PART : NODE, bytes, raw, 0);
  }

  /** Puts a blob of less than 8 MiB into a pack. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
  addBlob(raw: Buffer, rawAt: number): PackPlace {
    return this.append('blob', BLOB, this.store.reader.read('blob', raw, rawAt), raw, rawAt);
  }

  /** Sends a blob of 8 MiB or more under a key of its own. Throws like {@link addBlob}. */
  async addLarge(raw: Buffer, size: number): Promise<HaveBlob> {
    const path = this.store.reader.linkable(raw);
    if (path === undefined) throw missingError('blob', raw);
    const slices = Buffer.alloc(Math.ceil(size / SLICE_BYTES) * RAW_DIGEST_BYTES);
    const body = { bytes: size, chunks: () => checkedChunks(this.store.files, path, raw, size, slices) };
    await this.storage.put(blobKey(this.area, digestFromRaw(raw)), body, { signal: this.signal });
    const blob = { area: this.area, raw: Buffer.from(raw), size, slices };
    this.keys.set(raw.toString('hex'), blob);
    this.records.push(blobRecord(blob));
    return blob;
  }

  /** Sends packs that are full; waits while too many are on their way. */
  async sendFull(): Promise<void> {
    for (const [writer, content] of [
      [this.writers.blob, BLOBS],
      [this.writers.tree, TREES],
    ] as const) {
      for (const pack of writer.drain()) this.send(pack, content);
    }
    while (this.uploads.size > UPLOADS) await Promise.race(this.uploads);
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Sends the rest. Everything is durable then. */
  async finish(): Promise<void> {
    for (const pack of this.writers.blob.finish().splice(0)) this.send(pack, BLOBS);
    for (const pack of this.writers.tree.finish().splice(0)) this.send(pack, TREES);
    await Promise.all(this.uploads);
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Closes what is open after a failure and waits for what is on its way. */
  async abandon(): Promise<void> {
    this.writers.blob.abandon();
    this.writers.tree.abandon();
    await Promise.all(this.uploads);
  }

  private append(kind: 'blob' | 'tree', packKind: number, bytes: Buffer, raw: Buffer, rawAt: number): PackPlace {
    const writer = this.writers[kind];
    bytes.copy(writer.space(bytes.length));
    const { pack, offset } = writer.append(packKind, bytes.length, raw, rawAt);
    const place = { pack: this.ref(pack), offset, stored: bytes.length };
    this.sent[kind].set(raw, rawAt, this.places.length);
    this.places.push(place);
    return place;
  }

  private ref(name: string): PackRef {
    let ref = this.refs.get(name);
    if (ref === undefined) {
      ref = { area: this.area, name: Buffer.from(name.slice(0, 32), 'hex'), have: undefined };
      this.refs.set(name, ref);
    }
    return ref;
  }

  private send(pack: FinishedPack, content: number): void {
    const upload = this.upload(pack, content)
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.uploads.delete(upload);
      });
    this.uploads.add(upload);
  }

  private async upload(pack: FinishedPack, content: number): Promise<void> {
    const { files } = this.store;
    const ref = this.ref(pack.name);
    await this.storage.put(packKey(this.area, ref.name), fileBody(files, pack.tmpPath, pack.bytes), {
      signal: this.signal,
    });
    this.records.push(packRecord(this.area, ref.name, content, loadPack(files, pack.name, pack.tmpPath).index.bytes()));
    files.rmSync(pack.tmpPath, { force: true });
  }
}

function fileBody(files: Files, path: string, bytes: number): Body {
  return { bytes, chunks: () => chunksOf(files, path) };
}

function* chunksOf(files: Files, path: string): Generator<Buffer> {
  const fd = files.openSync(path, 'r');
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const read = files.readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (read === 0) return;
      yield chunk.subarray(0, read);
    }
  } finally {
    files.closeSync(fd);
  }
}

/** The bytes of a large blob, compared with its digest before the last of them is given away; fills in the slices. */
function* checkedChunks(files: Files, path: string, raw: Buffer, size: number, slices: Buffer): Generator<Buffer> {
  const whole = createHash('sha256');
  let at = 0;
  for (const chunk of chunksOf(files, path)) {
    whole.update(chunk);
    for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
      const slice = chunk.subarray(from, from + SLICE_BYTES);
      const offset = Math.floor((at + from) / SLICE_BYTES) * RAW_DIGEST_BYTES;
      if (offset < slices.length) slices.write(hash('sha256', slice, 'hex'), offset, 'hex');
    }
    at += chunk.length;
    if (at >= size && !whole.copy().digest().equals(raw)) break;
    yield chunk;
  }
  if (at === size && whole.digest().equals(raw)) return;
  const digest = digestFromRaw(raw);
  throw new SluiceError('ERR_OBJECT_DAMAGED', `blob ${digest} is damaged in the store, so it was not sent`, {
    hint: 'Run `sluice verify --deep --repair`, or run the stage again.',
    details: { digest },
  });
}
