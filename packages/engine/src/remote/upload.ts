import { randomBytes } from 'node:crypto';
import { SluiceError } from '../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { PACK_NAME_BYTES } from '../model/map.js';
import { BLOB, BLOBS, NODE, NODE_PART, TREES } from '../model/pack.js';
import type { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import type { Advance } from '../util/progress.js';
import type { Area } from './areas.js';
import { appendHave } from './have-file.js';
import { blobRecord, type HaveBlob, packRecord } from './have-index.js';
import { blobKey, packKey } from './keys.js';
import { localBlob } from './local-blob.js';
import type { PackPlace, PackRef } from './map-builder.js';
import { Outbox } from './outbox.js';
import { counted, OwedProgress } from './owed-progress.js';
import { type BuiltPack, PackBuilder, REMOTE_PACK_BYTES } from './pack-builder.js';
import type { Remote } from './remote.js';
import type { Body, StorageKey } from './storage/port.js';
import { openUploadJournal } from './upload-journal.js';

/** A pack that arrived, for whoever wants to look whether it did. */
export interface SentPack {
  readonly key: StorageKey;
  readonly bytes: number;
}

/** What a large blob takes of the memory for what is on its way. */
const LARGE_MEMORY_BYTES = 16 * 1024 * 1024;

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
  private readonly bad: ReadonlySet<StorageKey>;
  private readonly signal: AbortSignal | undefined;
  private readonly outbox: Outbox;
  private readonly builders: { readonly blob: PackBuilder; readonly tree: PackBuilder };
  private readonly sent = { blob: new DigestTable(), tree: new DigestTable() };
  private readonly places: PackPlace[] = [];
  private readonly refs: { blob: PackRef | undefined; tree: PackRef | undefined } = {
    blob: undefined,
    tree: undefined,
  };
  private readonly keys = new Map<string, HaveBlob>();
  /** What is told when the packs that are being filled have arrived. */
  private owed = new OwedProgress();

  /** `reader` reads blobs; another one reads the trees, so that each reads ahead. `bad`: keys of large blobs that are there and are not to be relied on. */
  constructor(
    store: Store,
    reader: ObjectReader,
    remote: Remote,
    bad: ReadonlySet<StorageKey>,
    signal: AbortSignal | undefined,
  ) {
    this.bad = bad;
    this.store = store;
    this.reader = reader;
    this.remote = remote;
    this.signal = signal;
    this.outbox = new Outbox(2 * REMOTE_PACK_BYTES, signal);
    const newName = (): Buffer => randomBytes(PACK_NAME_BYTES);
    this.builders = { blob: new PackBuilder(BLOBS, newName), tree: new PackBuilder(TREES, newName) };
  }

  /** Where an object lies that this push has sent. */
  placeOf(kind: 'blob' | 'tree', raw: Buffer, rawAt: number): PackPlace | undefined {
    const found = this.sent[kind].get(raw, rawAt);
    return found === undefined ? undefined : this.places[found];
  }

  /** A large blob that this push has sent, or has found to be there. */
  keyOf(raw: Buffer, rawAt: number): HaveBlob | undefined {
    return this.keys.size === 0 ? undefined : this.keys.get(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES));
  }

  /** Puts a node into a pack. */
  addNode(bytes: Buffer, raw: Buffer, isPart: boolean): PackPlace {
    return this.append('tree', isPart ? NODE_PART : NODE, bytes, raw, 0);
  }

  /** Puts a blob of less than 8 MiB into a pack. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`. */
  addBlob(raw: Buffer, rawAt: number, size: number): PackPlace {
    const bytes = this.reader.read('blob', raw, rawAt);
    if (bytes.length !== size) throw wrongSize(raw, rawAt, size, bytes.length);
    return this.append('blob', BLOB, bytes, raw, rawAt);
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
    const local = localBlob(this.store, this.reader, raw, 0, size);
    const there = await this.areaOfLarge(digest, size);
    const { own } = this.remote.areas;
    const slices = there === undefined ? local.slices : local.readSlices();
    const blob = { area: there ?? own, raw: Buffer.from(raw), size, slices };
    const note = (): void => appendHave(this.store, this.remote.description, [blobRecord(blob)]);
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

  private async putLarge(key: StorageKey, body: Body): Promise<void> {
    const journal = openUploadJournal(this.store, this.remote.description, key, body.bytes);
    try {
      await this.remote.storage.put(key, body, { journal, signal: this.signal });
    } finally {
      journal.close();
    }
  }

  /** The area that may be relied on and has a large blob under a key of its own; the key is its digest, so one look tells. */
  async areaOfLarge(digest: Digest, size: number): Promise<Area | undefined> {
    for (const area of this.remote.areas.proof) {
      if (this.bad.has(blobKey(area, digest))) continue;
      const stat = await this.remote.storage.stat(blobKey(area, digest), { signal: this.signal });
      if (stat?.bytes === size) return area;
    }
    return undefined;
  }

  /** Whether {@link sendFull} has something to do. */
  get isFull(): boolean {
    return this.builders.blob.isFull || this.builders.tree.isFull;
  }

  /** Sends packs that are full; waits while too much is on its way. */
  async sendFull(): Promise<void> {
    if (this.builders.blob.isFull) await this.send(this.builders.blob);
    if (this.builders.tree.isFull) await this.send(this.builders.tree);
  }

  /** Sends the rest. Everything is durable then. */
  async finish(): Promise<void> {
    await this.send(this.builders.blob);
    await this.send(this.builders.tree);
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

  private append(kind: 'blob' | 'tree', packKind: number, bytes: Buffer, raw: Buffer, rawAt: number): PackPlace {
    const builder = this.builders[kind];
    const offset = builder.add(packKind, bytes, raw, rawAt);
    let pack = this.refs[kind];
    if (pack?.name !== builder.current) {
      pack = { area: this.remote.areas.own, name: builder.current, have: undefined };
      this.refs[kind] = pack;
    }
    const place = { pack, offset, stored: bytes.length };
    this.sent[kind].set(raw, rawAt, this.places.length);
    this.places.push(place);
    return place;
  }

  private async send(builder: PackBuilder): Promise<void> {
    const pack = builder.seal();
    if (pack === undefined) return;
    const { owed } = this;
    this.owed = new OwedProgress();
    await this.outbox.send(pack.bytes, async () => {
      await this.upload(builder, pack);
      owed.pay();
    });
  }

  private async upload(builder: PackBuilder, pack: BuiltPack): Promise<void> {
    const { own } = this.remote.areas;
    const { bytes, chunks } = pack;
    const key = packKey(own, pack.name);
    await this.remote.storage.put(key, { bytes, chunks: () => chunks }, { signal: this.signal });
    appendHave(this.store, this.remote.description, [packRecord(own, pack.name, pack.content, pack.rows)]);
    this.packs.push({ key, bytes });
    builder.recycle(pack);
  }
}

function wrongSize(raw: Buffer, rawAt: number, said: number, is: number): SluiceError {
  const digest = digestFromRaw(raw, rawAt);
  return new SluiceError('ERR_TREE_INVALID', `a tree says that blob ${digest} has ${said} bytes; it has ${is}`, {
    details: { digest },
  });
}
