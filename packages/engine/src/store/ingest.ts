import { createHash, hash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { copyRaw, digestFromRaw, hexOf, RAW_DIGEST_BYTES } from '../model/digest.js';
import { DigestTable } from '../model/digest-table.js';
import { BLOB, BLOBS, NODE, NODE_PART, TREES } from '../model/pack.js';
import { writeWhole } from '../util/whole-io.js';
import type { Catalog } from './catalog.js';
import type { Durability } from './durable.js';
import type { Files } from './files.js';
import { LOOSE_BYTES, looseName, type ObjectKind } from './layout.js';
import { isSealed, seal } from './loose.js';
import { type FinishedPack, PackWriter } from './pack-writer.js';

/** Everything that one thread wrote and that has no name in the store yet. Plain values, so it can cross threads. */
export interface Unpublished {
  readonly packs: readonly FinishedPack[];
  /** `name` is relative to `objects/`. */
  readonly loose: readonly { readonly tmpPath: string; readonly name: string }[];
}

/** What an {@link Ingestor} needs; plain values, so it can cross threads. */
export interface IngestSettings {
  readonly tmpDir: string;
  readonly leasePath: string;
  readonly durability: Durability;
  /** Small objects go into packs instead of files of their own. */
  readonly packed: boolean;
}

/** A collection moved objects that the writer had already counted on: nothing is lost, the writer begins again. */
export class StoreMoved extends Error {}

const CHUNK_BYTES = 1024 * 1024;
const LEASE_BATCH = 1024;

/**
 * Brings bytes into the store on one thread. Objects that are there already are not written again. Nothing is visible under
 * its name before the session publishes it.
 */
export class Ingestor {
  private readonly files: Files;
  private readonly settings: IngestSettings;
  private readonly catalog: Catalog;
  private readonly leaseFd: number;
  private readonly pending: Buffer = Buffer.allocUnsafe(LEASE_BATCH * RAW_DIGEST_BYTES);
  private pendingCount = 0;
  private readonly written: Record<ObjectKind, DigestTable> = { blob: new DigestTable(), tree: new DigestTable() };
  private readonly reliedPacks = new Set<string>();
  private readonly reliedLoose: string[] = [];
  private readonly blobs: PackWriter;
  private readonly trees: PackWriter;
  private readonly loose: { tmpPath: string; name: string }[] = [];
  private chunk: Buffer | undefined;

  constructor(files: Files, settings: IngestSettings, catalog: Catalog) {
    this.files = files;
    this.settings = settings;
    this.catalog = catalog;
    catalog.refresh();
    this.leaseFd = files.openSync(settings.leasePath, 'a');
    this.blobs = new PackWriter(files, settings.durability, settings.tmpDir, BLOBS);
    this.trees = new PackWriter(files, settings.durability, settings.tmpDir, TREES);
  }

  /**
   * Takes `size` bytes from an open file as a blob; writes its digest at `rawAt` of `raw` and returns whether it was new.
   * `unchanged` is asked after the last byte was read; if it says no, nothing is taken and `undefined` is returned.
   */
  addFile(fd: number, size: number, raw: Buffer, rawAt: number, unchanged: () => boolean): boolean | undefined {
    if (size >= LOOSE_BYTES) return this.addLarge(fd, size, raw, rawAt, unchanged);
    // One byte more than expected: a file that grew is noticed by its length.
    const space = this.blobs.space(size + 1);
    const length = readFully(this.files, fd, space);
    if (length !== size || !unchanged()) return undefined;
    const bytes = space.subarray(0, length);
    raw.write(hash('sha256', bytes, 'binary'), rawAt, 'latin1');
    return this.addSmall('blob', BLOB, bytes, raw, rawAt, true);
  }

  /** Takes bytes in memory as a blob or a tree node (`part` for a part of a split one); their digest is at `rawAt` in `raw`. Returns whether it was new. */
  addBytes(kind: ObjectKind, bytes: Buffer, raw: Buffer, rawAt: number, part = false): boolean {
    return this.addSmall(kind, kind === 'blob' ? BLOB : part ? NODE_PART : NODE, bytes, raw, rawAt, false);
  }

  /**
   * Begins to take a blob of any size whose digest is known, chunk by chunk, such as from a remote; `undefined` if the store has it.
   */
  beginBlob(raw: Buffer, rawAt: number): ArrivingBlob | undefined {
    if (this.isKnown('blob', raw, rawAt)) return undefined;
    const file = this.beginLoose();
    return {
      write: (bytes) => file.write(bytes),
      abandon: () => file.abandon(),
      finish: () => {
        if (file.digest().equals(raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES))) {
          file.keep(raw, rawAt);
          this.written.blob.set(raw, rawAt);
          return true;
        }
        file.abandon();
        return false;
      },
    };
  }

  /** Takes a file of the store's file system whose bytes were compared with the digest at `rawAt`. Throws the system error if it is gone. */
  adopt(path: string, raw: Buffer, rawAt: number): void {
    const tmpPath = join(this.settings.tmpDir, randomBytes(12).toString('hex'));
    this.files.renameSync(path, tmpPath);
    const fd = this.files.openSync(tmpPath, 'r');
    try {
      seal(this.files, fd);
    } finally {
      this.files.closeSync(fd);
    }
    this.lease(raw, rawAt);
    this.loose.push({ tmpPath, name: looseName('blob', hexOf(digestFromRaw(raw, rawAt))) });
    this.written.blob.set(raw, rawAt);
  }

  /** Says that the session relies on an object; returns whether the store has it. */
  has(kind: ObjectKind, raw: Buffer, rawAt = 0): boolean {
    return this.isKnown(kind, raw, rawAt);
  }

  /** Everything is durable, but has no names yet. Throws {@link StoreMoved}. */
  finish(): Unpublished {
    this.flushLease();
    this.checkRelied();
    const packs = [...this.blobs.finish(), ...this.trees.finish()];
    this.files.closeSync(this.leaseFd);
    return { packs, loose: this.loose };
  }

  /** Closes what is open after a failure. */
  abandon(): void {
    this.blobs.abandon();
    this.trees.abandon();
    this.files.closeSync(this.leaseFd);
  }

  private addSmall(
    kind: ObjectKind,
    packKind: number,
    bytes: Buffer,
    raw: Buffer,
    rawAt: number,
    inSpace: boolean,
  ): boolean {
    if (this.isKnown(kind, raw, rawAt)) return false;
    if (!this.settings.packed) {
      const file = this.beginLoose();
      file.write(bytes);
      file.keep(raw, rawAt, kind);
      this.written[kind].set(raw, rawAt);
      return true;
    }
    const writer = kind === 'blob' ? this.blobs : this.trees;
    if (!inSpace) bytes.copy(writer.space(bytes.length));
    writer.append(packKind, bytes.length, raw, rawAt);
    this.written[kind].set(raw, rawAt);
    return true;
  }

  private addLarge(
    fd: number,
    size: number,
    raw: Buffer,
    rawAt: number,
    unchanged: () => boolean,
  ): boolean | undefined {
    const file = this.beginLoose();
    this.chunk ??= Buffer.allocUnsafe(CHUNK_BYTES);
    let total = 0;
    try {
      for (;;) {
        const length = this.files.readSync(fd, this.chunk, 0, CHUNK_BYTES, null);
        if (length === 0) break;
        total += length;
        if (total > size) break;
        file.write(this.chunk.subarray(0, length));
      }
    } catch (error) {
      file.abandon();
      throw error;
    }
    if (total !== size || !unchanged()) {
      file.abandon();
      return undefined;
    }
    file.digest().copy(raw, rawAt);
    if (this.isKnown('blob', raw, rawAt)) {
      file.abandon();
      return false;
    }
    file.keep(raw, rawAt);
    this.written.blob.set(raw, rawAt);
    return true;
  }

  /**
   * Whether this thread has written the object or the store has it in a state in which it can be served.
   * A yes is provisional until {@link finish} has looked again behind the lease.
   */
  private isKnown(kind: ObjectKind, raw: Buffer, rawAt: number): boolean {
    if (this.written[kind].has(raw, rawAt)) return true;
    this.lease(raw, rawAt);
    const place = this.catalog.find(kind, raw, rawAt);
    if (place === undefined) return false;
    if (place.home === 'pack') {
      this.reliedPacks.add(place.pack.path);
      return true;
    }
    // Somebody wrote into it: a fresh copy takes its place.
    if (!isSealed(place)) return false;
    this.reliedLoose.push(place.path);
    return true;
  }

  /**
   * The digests are in the lease by now. What is still at its place is seen by any collection that has not moved it yet;
   * what has been moved cannot be relied on.
   */
  private checkRelied(): void {
    const gone = (path: string): boolean => this.files.statSync(path, { throwIfNoEntry: false }) === undefined;
    if ([...this.reliedPacks].some(gone) || this.reliedLoose.some(gone)) throw new StoreMoved();
  }

  private lease(raw: Buffer, rawAt: number): void {
    copyRaw(raw, rawAt, this.pending, this.pendingCount * RAW_DIGEST_BYTES);
    this.pendingCount++;
    if (this.pendingCount === LEASE_BATCH) this.flushLease();
  }

  private flushLease(): void {
    if (this.pendingCount === 0) return;
    writeWhole(this.files, this.leaseFd, this.pending.subarray(0, this.pendingCount * RAW_DIGEST_BYTES));
    this.pendingCount = 0;
  }

  private beginLoose(): LooseFile {
    const tmpPath = join(this.settings.tmpDir, randomBytes(12).toString('hex'));
    const { files, loose } = this;
    const fd = files.openSync(tmpPath, 'wx', 0o644);
    const sha = createHash('sha256');
    return {
      write: (bytes) => {
        sha.update(bytes);
        writeWhole(files, fd, bytes);
      },
      digest: () => sha.digest(),
      keep: (raw, rawAt, kind = 'blob') => {
        seal(files, fd);
        files.closeSync(fd);
        loose.push({ tmpPath, name: looseName(kind, hexOf(digestFromRaw(raw, rawAt))) });
      },
      abandon: () => {
        files.closeSync(fd);
        files.rmSync(tmpPath, { force: true });
      },
    };
  }
}

/** A blob that comes in chunks. */
export interface ArrivingBlob {
  write(chunk: Buffer): void;
  /** Returns whether the bytes have the digest; if not, nothing is taken. */
  finish(): boolean;
  /** Gives it up. */
  abandon(): void;
}

interface LooseFile {
  write(bytes: Buffer): void;
  digest(): Buffer;
  keep(raw: Buffer, rawAt: number, kind?: ObjectKind): void;
  abandon(): void;
}

/** Reads until the buffer is full or the file ends; returns how many bytes there were. Only the end of a file gives less than was asked for. */
function readFully(files: Files, fd: number, buffer: Buffer): number {
  let at = 0;
  while (at < buffer.length) {
    const wanted = buffer.length - at;
    const read = files.readSync(fd, buffer, at, wanted, null);
    at += read;
    if (read < wanted) break;
  }
  return at;
}
