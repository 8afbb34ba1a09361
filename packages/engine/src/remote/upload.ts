import { randomBytes } from 'node:crypto';
import { SluiceError } from '../errors.js';
import type { Cuts } from '../model/cutter.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { PACK_NAME_BYTES } from '../model/map.js';
import { BLOB, BLOBS, CODEC_NONE, CODEC_PATCH, NODE, NODE_PART, PACK_TRAILER_BYTES, TREES } from '../model/pack.js';
import type { Encoder } from '../store/encoder.js';
import { missingError } from '../store/loose.js';
import type { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import type { Advance } from '../util/progress.js';
import type { Area } from './areas.js';
import { encodeBuilt, type OpenPlace } from './encode-built.js';
import { appendHave } from './have-file.js';
import { blobRecord, type HaveBlob, packRecord } from './have-index.js';
import { patchesRecord, wholeRows } from './have-patches.js';
import { blobKey, packKey } from './keys.js';
import { largeForm } from './large-form.js';
import { LinePace } from './line-pace.js';
import { localBlob } from './local-blob.js';
import type { PackPlace, PackRef, PatchedNode } from './map-builder.js';
import { Outbox } from './outbox.js';
import { counted, OwedProgress } from './owed-progress.js';
import { type BuiltPack, PackBuilder, REMOTE_PACK_BYTES } from './pack-builder.js';
import type { Remote } from './remote.js';
import { type Body, bodyOf, type StorageKey } from './storage/port.js';
import { openUploadJournal } from './upload-journal.js';
import { WindowPool } from './window-pool.js';

/** A pack that arrived, for whoever wants to look whether it did. */
export interface SentPack {
  readonly key: StorageKey;
  readonly bytes: number;
}

/** What may be on its way: two packs, each larger than that by its last object. */
const OUTBOX_BYTES = 2.5 * REMOTE_PACK_BYTES;

/** What a large blob takes of the memory for what is on its way. */
const LARGE_MEMORY_BYTES = 16 * 1024 * 1024;

/** Memory of large blobs that is kept for the next parts, of several that arrive in one moment. */
const KEPT_MEMORY_BYTES = 24 * 1024 * 1024;

/**
 * Sends objects: small ones in packs, large ones under keys of their own. A pack is sent as soon as it is full, while the next one is filled;
 * {@link Uploader.finish} waits until everything is durable. What has arrived is noted in the have-index at once, so that a push that is
 * stopped does not send it again.
 */
export class Uploader {
  readonly packs: SentPack[] = [];
  private readonly store: Store;
  private readonly reader: ObjectReader;
  private readonly remote: Remote;
  private readonly encoder: Encoder;
  private readonly bad: ReadonlySet<StorageKey>;
  private readonly signal: AbortSignal | undefined;
  private readonly outbox: Outbox;
  private readonly pace = new LinePace();
  private readonly memory = new WindowPool(KEPT_MEMORY_BYTES);
  private readonly builders: { readonly blob: PackBuilder; readonly tree: PackBuilder };
  private readonly sent = { blob: new DigestTable(), tree: new DigestTable() };
  private readonly places: PackPlace[] = [];
  /** Objects of the packs that are being filled. */
  private readonly filling: Record<'blob' | 'tree', OpenPlace[]> = { blob: [], tree: [] };
  private readonly refs: { blob: PackRef | undefined; tree: PackRef | undefined } = {
    blob: undefined,
    tree: undefined,
  };
  private readonly keys = new Map<string, HaveBlob>();
  /** What is told when the packs that are being filled have arrived. */
  private owed = new OwedProgress();
  /** Packs of this push that may not be relied on any more. */
  private readonly gone = new Set<StorageKey>();

  /** `reader` reads blobs; another one reads the trees, so that each reads ahead. `bad`: keys of large blobs that are there and are not to be relied on. */
  constructor(
    store: Store,
    reader: ObjectReader,
    remote: Remote,
    encoder: Encoder,
    bad: ReadonlySet<StorageKey>,
    signal: AbortSignal | undefined,
  ) {
    this.bad = bad;
    this.store = store;
    this.reader = reader;
    this.remote = remote;
    this.encoder = encoder;
    this.signal = signal;
    this.outbox = new Outbox(OUTBOX_BYTES, signal);
    const newName = (): Buffer => randomBytes(PACK_NAME_BYTES);
    this.builders = { blob: new PackBuilder(BLOBS, newName), tree: new PackBuilder(TREES, newName) };
  }

  /** Where an object lies that this push has sent. */
  placeOf(kind: 'blob' | 'tree', raw: Buffer, rawAt: number): PackPlace | undefined {
    const found = this.sent[kind].get(raw, rawAt);
    const place = found === undefined ? undefined : this.places[found];
    if (place === undefined || this.gone.size === 0) return place;
    return this.gone.has(packKey(place.pack.area, place.pack.name)) ? undefined : place;
  }

  /** A large blob that this push has sent, or has found to be there. */
  keyOf(raw: Buffer, rawAt: number): HaveBlob | undefined {
    return this.keys.size === 0 ? undefined : this.keys.get(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES));
  }

  /** Puts a node into a pack. */
  addNode(bytes: Buffer, raw: Buffer, isPart: boolean): PackPlace {
    return this.append('tree', isPart ? NODE_PART : NODE, bytes, raw, 0);
  }

  /** Puts what is new in a node into a pack. */
  addPatch(patch: Buffer, isPart: boolean, node: PatchedNode): PackPlace {
    return this.append('tree', isPart ? NODE_PART : NODE, patch, node.raw, 0, node);
  }

  /** Puts a blob of less than 8 MiB into a pack. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
  addBlob(raw: Buffer, rawAt: number, size: number): PackPlace {
    const bytes = this.reader.read('blob', raw, rawAt);
    if (bytes.length !== size) throw wrongSize(raw, rawAt, size, bytes.length);
    return this.append('blob', BLOB, bytes, raw, rawAt);
  }

  /** Puts a chunk of a large blob into a pack; the caller has compared its bytes. */
  addChunk(raw: Buffer, bytes: Buffer): PackPlace {
    return this.append('blob', BLOB, bytes, raw, 0);
  }

  /**
   * The key of its own of a blob of 8 MiB or more; unless an area that may be relied on has it, it is sent beside what comes next, and its slices are known when
   * {@link finish} ends. Says whether it is sent. `failed` is told of an error of the sending, which ends the push if it is thrown there. Throws like {@link addBlob}.
   */
  async addLarge(
    raw: Buffer,
    size: number,
    advance: Advance | undefined,
    failed: (error: unknown) => void,
  ): Promise<{ readonly blob: HaveBlob; readonly sent: boolean }> {
    const digest = digestFromRaw(raw);
    const local = localBlob(this.store, this.reader, raw, 0, size, this.memory);
    const there = await this.areaOfLarge(digest, size);
    if (there === undefined && !this.reader.catalog.has('blob', raw)) throw missingError('blob', raw);
    const { own } = this.remote.areas;
    const slices = there === undefined ? local.slices : local.readSlices();
    const blob = { area: there ?? own, raw: Buffer.from(raw), size, slices };
    const note = (): void => appendHave(this.store, this.remote.haveName, [blobRecord(blob)]);
    this.keys.set(raw.toString('hex'), blob);
    if (there !== undefined) {
      note();
      advance?.(1, size);
      return { blob, sent: false };
    }
    await this.outbox.send(Math.min(size, LARGE_MEMORY_BYTES), async () => {
      const { body, told } = counted(local.body, advance);
      try {
        await this.putLarge(blobKey(own, digest), body);
      } catch (error) {
        return failed(error);
      }
      note();
      advance?.(1, size - told());
    });
    return { blob, sent: true };
  }

  /** How a blob of 8 MiB or more is to be sent. Throws like {@link addBlob}. */
  largeForm(raw: Buffer, size: number): 'own-key' | Cuts {
    // What is only on the remote can be there under its key.
    if (!this.reader.catalog.has('blob', raw)) return 'own-key';
    return largeForm(this.remote.encoding, this.store, this.reader, raw, size);
  }

  /** The area that may be relied on and has a large blob under a key of its own; the key is its digest, so one look tells. */
  async areaOfLarge(digest: Digest, size: number): Promise<Area | undefined> {
    // A look sees no more than a size; what signed maps name is known without it.
    if (this.remote.signatures.needed.maps) return undefined;
    for (const area of this.remote.areas.proof) {
      if (this.bad.has(blobKey(area, digest))) continue;
      const stat = await this.remote.storage.stat(blobKey(area, digest), { signal: this.signal });
      if (stat?.bytes === size && !(await this.isCondemned(area, blobKey(area, digest)))) return area;
    }
    return undefined;
  }

  /** Forgets what this push has sent or found if a collection is about to delete it meanwhile; returns whether there was anything. */
  async forgetCondemned(): Promise<boolean> {
    const { own } = this.remote.areas;
    let found = false;
    for (const { key } of this.packs) {
      if (this.gone.has(key) || !(await this.isCondemned(own, key))) continue;
      this.gone.add(key);
      found = true;
    }
    for (const [hex, { area, raw }] of this.keys) {
      if (!(await this.isCondemned(area, blobKey(area, digestFromRaw(raw))))) continue;
      this.keys.delete(hex);
      found = true;
    }
    return found;
  }

  /** Whether {@link sendFull} has something to do. */
  get isFull(): boolean {
    return this.builders.blob.isFull || this.builders.tree.isFull;
  }

  /** Sends packs that are full; waits while too much is on its way. */
  async sendFull(): Promise<void> {
    if (this.builders.blob.isFull) await this.send('blob');
    if (this.builders.tree.isFull) await this.send('tree');
  }

  /** Sends the rest. Everything is durable then. */
  async finish(): Promise<void> {
    await this.send('blob');
    await this.send('tree');
    await this.outbox.settled();
    this.owed.pay();
  }

  /** Tells of files and bytes when what is being packed by now has arrived. */
  owe(advance: Advance, files: number, bytes: number): void {
    this.owed.add(advance, files, bytes);
  }

  /** Waits for what is on its way, after a failure too. */
  async abandon(): Promise<void> {
    await this.outbox.drained();
  }

  private isCondemned(area: Area, key: StorageKey): Promise<boolean> {
    return this.remote.lookout.isCondemned(area, key, this.signal);
  }

  private async putLarge(key: StorageKey, body: Body): Promise<void> {
    const { storage, areas, lookout } = this.remote;
    const journal = openUploadJournal(this.store, this.remote.description, key, body.bytes);
    const put = async (): Promise<boolean> => {
      await storage.put(key, body, { journal, signal: this.signal });
      return true;
    };
    try {
      if (await this.isCondemned(areas.own, key)) await lookout.renew(areas.own, key, put, this.signal);
      else await put();
    } finally {
      journal.close();
    }
  }

  private append(
    kind: 'blob' | 'tree',
    packKind: number,
    bytes: Buffer,
    raw: Buffer,
    rawAt: number,
    patch?: PatchedNode,
  ): PackPlace {
    const builder = this.builders[kind];
    const offset = builder.add(packKind, bytes, raw, rawAt, patch?.full);
    let pack = this.refs[kind];
    if (pack?.name !== builder.current) {
      pack = { area: this.remote.areas.own, name: builder.current, have: undefined };
      this.refs[kind] = pack;
    }
    const place: PackPlace =
      patch === undefined
        ? { pack, offset, stored: bytes.length, codec: CODEC_NONE }
        : { pack, offset, stored: bytes.length, codec: CODEC_PATCH, patch };
    this.filling[kind].push(place);
    this.sent[kind].set(raw, rawAt, this.places.length);
    this.places.push(place);
    return place;
  }

  private async send(kind: 'blob' | 'tree'): Promise<void> {
    const pack = this.builders[kind].seal();
    if (pack === undefined) return;
    const places = this.filling[kind].splice(0);
    const { owed } = this;
    this.owed = new OwedProgress();
    await this.outbox.send(pack.bytes, async () => {
      await this.upload(kind, pack, places);
      owed.pay();
    });
  }

  private get compresses(): boolean {
    const { compression } = this.remote.encoding;
    return compression === 'always' || (compression === 'auto' && !this.pace.isFast);
  }

  private async upload(kind: 'blob' | 'tree', pack: BuiltPack, places: readonly OpenPlace[]): Promise<void> {
    const { own } = this.remote.areas;
    const { chunks, tail } = kind === 'blob' && this.compresses ? await encodeBuilt(this.encoder, pack, places) : pack;
    const body = bodyOf(...chunks, tail);
    const key = packKey(own, pack.name);
    const startedMs = performance.now();
    await this.remote.storage.put(key, body, { signal: this.signal });
    this.pace.note(body.bytes, performance.now() - startedMs);
    const rows = tail.subarray(0, tail.length - PACK_TRAILER_BYTES);
    const patched = places.flatMap(({ patch }) =>
      patch === undefined ? [] : [{ raw: patch.raw, base: patch.base.raw }],
    );
    const patches = patched.length === 0 ? [] : [patchesRecord(patched)];
    const record = packRecord(own, pack.name, pack.content, wholeRows(rows));
    appendHave(this.store, this.remote.haveName, [record, ...patches]);
    this.packs.push({ key, bytes: body.bytes });
    this.builders[kind].recycle(chunks);
  }
}

function wrongSize(raw: Buffer, rawAt: number, said: number, is: number): SluiceError {
  const digest = digestFromRaw(raw, rawAt);
  return new SluiceError('ERR_TREE_INVALID', `a tree says that blob ${digest} has ${said} bytes; it has ${is}`, {
    details: { digest },
  });
}
