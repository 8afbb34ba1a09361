import { createHash, hash } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf, isReadFailure, SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { CODEC_NONE, OBJECT_HEADER_BYTES } from '../model/pack.js';
import { readWhole } from '../util/whole-io.js';
import { Catalog, type LoadedPack, type Place } from './catalog.js';
import type { Files } from './files.js';
import type { Layout, ObjectKind } from './layout.js';
import { checkLoose, damagedError, ifWritable, isSealed, missingError, setLooseAside } from './loose.js';
import { recoverFromTrash } from './trash.js';

const FIRST_WINDOW_BYTES = 64 * 1024;
const LARGEST_WINDOW_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const OPEN_PACKS = 32;
/** How long a reader waits for a collection that is just moving an object. */
const SECOND_LOOK_MS = 30;
/** How often a reader looks for an object, and how often if the store does not stand still meanwhile. */
const LOOKS = 3;
const MOST_LOOKS = 20;

/** A loose blob. `sealed`: it is known to have the time of its seal, so that what is linked to it has it too. */
export interface Linkable {
  readonly path: string;
  readonly bytes: number;
  readonly inode: number;
  readonly sealed: boolean;
}

/**
 * Reads objects from wherever they lie and checks every byte before it is handed out. One reader belongs to one thread: the
 * buffers that it returns are views that the next call overwrites.
 */
export class ObjectReader {
  readonly catalog: Catalog;
  private readonly files: Files;
  private readonly layout: Layout;
  private readonly fds = new Map<string, number>();
  private window = Buffer.alloc(0);
  private windowPack = '';
  private windowStart = 0;
  private windowLength = 0;
  private windowBytes = FIRST_WINDOW_BYTES;

  constructor(files: Files, layout: Layout, catalog: Catalog = new Catalog(files, layout)) {
    this.files = files;
    this.layout = layout;
    this.catalog = catalog;
    catalog.refresh();
  }

  /**
   * The bytes of an object that fits into memory (a tree, or a blob below the loose limit; larger ones work but are read whole).
   * The result is valid until the next call. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`.
   */
  read(kind: ObjectKind, raw: Buffer, rawAt = 0): Buffer {
    return this.attempt(kind, raw, rawAt, (place, key) => this.readCopy(place, key));
  }

  /**
   * Reads one certain copy and tells whether it has the object's bytes; the bytes of a small object are returned, valid until the next call.
   * Unlike {@link read} it neither looks for another copy nor sets a damaged one aside. Throws the system error if the copy is gone.
   */
  readCopy(place: Place, raw: Buffer, rawAt = 0): Buffer | undefined {
    const bytes =
      place.home === 'pack' ? this.readPacked(place.pack, place.entry) : this.files.readFileSync(place.path);
    return matches(bytes, raw, rawAt) ? bytes : undefined;
  }

  /** The size of an object, or `undefined` if it is not there. Reads no bytes. */
  size(kind: ObjectKind, raw: Buffer, rawAt = 0): number | undefined {
    const place = this.catalog.find(kind, raw, rawAt);
    return place === undefined ? undefined : place.home === 'pack' ? place.entry.full : place.bytes;
  }

  /**
   * Hands the bytes of a blob to `sink` a MiB at a time and checks them on the way; the sink must not let anybody see them before this returns.
   * `restart` is called before another copy is tried. Throws like {@link read}.
   */
  stream(raw: Buffer, rawAt: number, sink: (chunk: Buffer) => void, restart: () => void): void {
    this.attempt('blob', raw, rawAt, (place, key) => {
      restart();
      if (place.home === 'pack') {
        const bytes = this.readPacked(place.pack, place.entry);
        if (!matches(bytes, key, 0)) return undefined;
        sink(bytes);
        return true;
      }
      return this.streamFile(place.path, key, sink) ? true : undefined;
    });
  }

  /**
   * A loose blob whose bytes may be linked or cloned without being read again, or `undefined` if the blob lies in a pack.
   * Throws like {@link read}.
   */
  linkable(raw: Buffer, rawAt = 0): Linkable | undefined {
    const place = this.catalog.find('blob', raw, rawAt);
    if (place?.home === 'pack') return undefined;
    if (place !== undefined && isSealed(place)) return { ...place, sealed: true };
    return this.attempt('blob', raw, rawAt, (found, key): { linkable: Linkable | undefined } | undefined => {
      if (found.home === 'pack') return { linkable: undefined };
      if (!checkLoose(this.files, this.layout, 'blob', key, found)) return undefined;
      return { linkable: { ...found, sealed: isSealed(found) } };
    }).linkable;
  }

  close(): void {
    for (const fd of this.fds.values()) this.files.closeSync(fd);
    this.fds.clear();
    this.windowPack = '';
  }

  /**
   * Tries every place of an object, then looks again: a collection may be moving it, or may be bringing it back from the trash. It is missing only if the store stood still while it was looked for, for
   * on a busy machine one collection after the other may overtake a reader.
   */
  private attempt<T>(
    kind: ObjectKind,
    raw: Buffer,
    rawAt: number,
    use: (place: Place, key: Buffer) => T | undefined,
  ): T {
    const key = raw.subarray(rawAt, rawAt + RAW_DIGEST_BYTES);
    let damaged = false;
    let hasMoved = false;
    for (let look = 0; look < LOOKS || (hasMoved && look < MOST_LOOKS); look++) {
      if (look >= 2) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SECOND_LOOK_MS);
        recoverFromTrash(this.files, this.layout, kind, key);
      }
      hasMoved = look > 0 && this.refresh();
      for (const place of this.catalog.places(kind, key, 0)) {
        try {
          const result = use(place, key);
          if (result !== undefined) return result;
          damaged = true;
          ifWritable(() => this.setAside(kind, key, place));
        } catch (error) {
          // Collected between lookup and use; or the disk cannot read this copy now.
          if (isReadFailure(error)) damaged = true;
          else if (errnoOf(error) === 'ENOENT') hasMoved = true;
          else throw error;
        }
      }
    }
    throw damaged ? damagedError(kind, key) : missingError(kind, key);
  }

  /** Takes a damaged copy out of use: a loose one is moved to `damaged/`, one in a pack gets a marker there. */
  setAside(kind: ObjectKind, key: Buffer, place: Place): void {
    if (place.home === 'loose') {
      setLooseAside(this.files, this.layout, kind, key);
      return;
    }
    this.files.mkdirSync(this.layout.damaged, { recursive: true });
    const marker = join(this.layout.damaged, this.catalog.damagedMarker(place.pack, key));
    this.files.closeSync(this.files.openSync(marker, 'w'));
  }

  private refresh(): boolean {
    this.close();
    return this.catalog.refresh();
  }

  private streamFile(path: string, key: Buffer, sink: (chunk: Buffer) => void): boolean {
    const digest = createHash('sha256');
    const buffer = this.reserve(CHUNK_BYTES);
    const fd = this.files.openSync(path, 'r');
    try {
      for (;;) {
        const read = this.files.readSync(fd, buffer, 0, CHUNK_BYTES, null);
        if (read === 0) return digest.digest().equals(key);
        const chunk = buffer.subarray(0, read);
        digest.update(chunk);
        sink(chunk);
      }
    } finally {
      this.files.closeSync(fd);
    }
  }

  private readPacked(pack: LoadedPack, entry: { offset: number; stored: number; codec: number }): Buffer {
    if (entry.codec !== CODEC_NONE) {
      throw new SluiceError('ERR_FORMAT_VERSION', `pack ${pack.name} uses a codec that is not known`, {
        hint: 'Update Sluice in this workspace.',
      });
    }
    const start = entry.offset + OBJECT_HEADER_BYTES;
    const inWindow =
      this.windowPack === pack.name &&
      start >= this.windowStart &&
      start + entry.stored <= this.windowStart + this.windowLength;
    if (!inWindow) this.fill(pack, start, entry.stored);
    const at = start - this.windowStart;
    return this.window.subarray(at, at + entry.stored);
  }

  /** Reads ahead while reads come in order, and little when they do not. */
  private fill(pack: LoadedPack, start: number, needed: number): void {
    const end = this.windowStart + this.windowLength;
    const inOrder = this.windowPack === pack.name && start >= this.windowStart && start < end + this.windowBytes;
    this.windowBytes = inOrder ? Math.min(this.windowBytes * 2, LARGEST_WINDOW_BYTES) : FIRST_WINDOW_BYTES;
    const length = Math.min(Math.max(needed, this.windowBytes), pack.bytes - start);
    const buffer = this.reserve(length);
    const fd = this.open(pack);
    const found = readWhole(this.files, fd, buffer.subarray(0, length), start);
    this.windowPack = pack.name;
    this.windowStart = start;
    this.windowLength = found;
    if (found < needed) buffer.fill(0, found, needed);
  }

  private reserve(length: number): Buffer {
    if (this.window.length < length) this.window = Buffer.allocUnsafe(Math.max(length, FIRST_WINDOW_BYTES));
    this.windowPack = '';
    return this.window;
  }

  private open(pack: LoadedPack): number {
    const known = this.fds.get(pack.name);
    if (known !== undefined) return known;
    if (this.fds.size >= OPEN_PACKS) this.close();
    const fd = this.files.openSync(pack.path, 'r');
    this.fds.set(pack.name, fd);
    return fd;
  }
}

/** Whether bytes have the digest at `rawAt`. */
function matches(bytes: Buffer, raw: Buffer, rawAt: number): boolean {
  return hash('sha256', bytes, 'hex') === raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES);
}
