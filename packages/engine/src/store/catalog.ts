import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { digestFromRaw, hexOf, RAW_DIGEST_BYTES } from '../model/digest.js';
import {
  BLOB,
  BLOBS,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  type PackEntry,
  type PackIndex,
  packTailBytes,
  parsePackHeader,
  parsePackTail,
} from '../model/pack.js';
import { readWhole } from '../util/whole-io.js';
import type { Files } from './files.js';
import { type Layout, looseName, type ObjectKind } from './layout.js';
import { listNames } from './lease.js';

/** A pack whose index is loaded. */
export interface LoadedPack {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly index: PackIndex;
}

/** So many files are looked for one by one before their directory is listed. */
const LOOKS_BEFORE_LIST = 16;

/** Where an object lies. Stays inside `store/`. */
export type Place =
  | {
      readonly home: 'loose';
      readonly path: string;
      readonly bytes: number;
      readonly mtimeMs: number;
      readonly inode: number;
    }
  | { readonly home: 'pack'; readonly pack: LoadedPack; readonly entry: PackEntry };

/**
 * The one lookup over both homes of objects: packs, whose indexes are held in memory, and loose files.
 * Pack indexes are read when they first appear; {@link Catalog.refresh} follows other processes.
 */
export class Catalog {
  private readonly files: Files;
  private readonly layout: Layout;
  private loaded = new Map<string, LoadedPack>();
  private broken = new Map<string, SluiceError>();
  private stamp = '';
  private fanOut: Uint8Array | undefined;
  private damagedNames = new Set<string>();

  constructor(files: Files, layout: Layout) {
    this.files = files;
    this.layout = layout;
  }

  /** Loads new packs and forgets those that are gone. Cheap when nothing changed. Returns whether other packs are there than before, or packs came and went meanwhile. */
  refresh(): boolean {
    this.fanOut = undefined;
    this.damagedNames = new Set(listNames(this.files, this.layout.damaged));
    const stat = this.files.statSync(this.layout.packs, { throwIfNoEntry: false });
    const stamp = stat === undefined ? 'none' : `${stat.mtimeMs}-${stat.ctimeMs}-${stat.ino}`;
    // A directory that changed within the grain of its clock can change again without a new stamp.
    const settled = stat !== undefined && Date.now() - stat.mtimeMs > 1000;
    if (stamp === this.stamp) return false;
    const names = listNames(this.files, this.layout.packs).filter((name) => name.endsWith('.pack'));
    const loaded = new Map<string, LoadedPack>();
    const broken = new Map<string, SluiceError>();
    for (const name of names) {
      const known = this.loaded.get(name) ?? this.load(name, broken);
      if (known !== undefined) loaded.set(name, known);
    }
    const isOther = loaded.size !== this.loaded.size || [...loaded.keys()].some((name) => !this.loaded.has(name));
    this.loaded = loaded;
    this.broken = broken;
    this.stamp = settled ? stamp : '';
    return isOther || loaded.size + broken.size < names.length;
  }

  /** All packs that can be read. */
  packs(): LoadedPack[] {
    return [...this.loaded.values()];
  }

  /** Packs that cannot be read, by name. */
  brokenPacks(): ReadonlyMap<string, SluiceError> {
    return this.broken;
  }

  /** Whether the object is there, by the packs that are loaded and the loose files on disk. */
  has(kind: ObjectKind, raw: Buffer, rawAt = 0): boolean {
    return this.inPacks(kind, raw, rawAt) || this.loose(kind, raw, rawAt) !== undefined;
  }

  /**
   * The same for blobs, for many questions of one moment: where many are asked that begin alike, the directory in which they would lie is listed instead of looking for each. What comes
   * or goes from then on may not be noticed.
   */
  manyBlobs(): (raw: Buffer, rawAt: number) => boolean {
    const asked = new Uint8Array(256);
    const listed: (ReadonlySet<string> | undefined)[] = [];
    return (raw, rawAt) => {
      if (this.inPacks('blob', raw, rawAt)) return true;
      this.fanOut ??= this.listFanOut();
      const first = raw[rawAt] ?? 0;
      if (this.fanOut[first] === 0) return false;
      const count = asked[first] ?? 0;
      if (count < LOOKS_BEFORE_LIST) {
        asked[first] = count + 1;
        return this.loose('blob', raw, rawAt) !== undefined;
      }
      const [directory = '', name = ''] = looseName('blob', raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES)).split(
        '/',
      );
      listed[first] ??= new Set(listNames(this.files, join(this.layout.objects, directory)));
      return listed[first].has(name);
    };
  }

  private inPacks(kind: ObjectKind, raw: Buffer, rawAt: number): boolean {
    for (const pack of this.loaded.values()) if (this.rowIn(pack, kind, raw, rawAt) >= 0) return true;
    return false;
  }

  /** The first place of an object. */
  find(kind: ObjectKind, raw: Buffer, rawAt = 0): Place | undefined {
    for (const pack of this.loaded.values()) {
      const entry = this.inPack(pack, kind, raw, rawAt);
      if (entry !== undefined) return { home: 'pack', pack, entry };
    }
    return this.loose(kind, raw, rawAt);
  }

  /** Every place of an object: a damaged copy may have a sound twin. */
  *places(kind: ObjectKind, raw: Buffer, rawAt = 0): Generator<Place> {
    const loose = this.loose(kind, raw, rawAt);
    if (loose !== undefined) yield loose;
    for (const pack of this.loaded.values()) {
      const entry = this.inPack(pack, kind, raw, rawAt);
      if (entry !== undefined) yield { home: 'pack', pack, entry };
    }
  }

  /** Name of the marker that says "the copy in this pack is damaged". */
  damagedMarker(pack: LoadedPack, raw: Buffer, rawAt = 0): string {
    return `${raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES)}.${pack.name}`;
  }

  /** Whether any copy was set aside. */
  get hasSetAside(): boolean {
    return this.damagedNames.size > 0;
  }

  /** Whether the copy in this pack was found damaged and is never served. */
  isSetAside(pack: LoadedPack, raw: Buffer, rawAt = 0): boolean {
    return this.hasSetAside && this.damagedNames.has(this.damagedMarker(pack, raw, rawAt));
  }

  private inPack(pack: LoadedPack, kind: ObjectKind, raw: Buffer, rawAt: number): PackEntry | undefined {
    const row = this.rowIn(pack, kind, raw, rawAt);
    return row < 0 ? undefined : pack.index.entry(row);
  }

  /** The row of an object in a pack that may serve it, or -1. */
  private rowIn(pack: LoadedPack, kind: ObjectKind, raw: Buffer, rawAt: number): number {
    const row = pack.index.find(raw, rawAt);
    if (row < 0 || (pack.index.kind(row) === BLOB) !== (kind === 'blob')) return -1;
    return this.isSetAside(pack, raw, rawAt) ? -1 : row;
  }

  private loose(kind: ObjectKind, raw: Buffer, rawAt: number): Place | undefined {
    this.fanOut ??= this.listFanOut();
    if (this.fanOut[raw[rawAt] ?? 0] === 0) return undefined;
    const path = join(this.layout.objects, looseName(kind, hexOf(digestFromRaw(raw, rawAt))));
    const stat = this.files.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return undefined;
    return { home: 'loose', path, bytes: stat.size, mtimeMs: stat.mtimeMs, inode: stat.ino };
  }

  /** Which of the 256 directories exist: it saves a failing call per object in a store that has only packs. */
  private listFanOut(): Uint8Array {
    const present = new Uint8Array(256);
    for (const name of listNames(this.files, this.layout.objects)) {
      if (/^[0-9a-f]{2}$/.test(name)) present[Number.parseInt(name, 16)] = 1;
    }
    return present;
  }

  private load(name: string, broken: Map<string, SluiceError>): LoadedPack | undefined {
    const path = join(this.layout.packs, name);
    try {
      return loadPack(this.files, name, path);
    } catch (error) {
      // Collected between listing and opening.
      if (errnoOf(error) === 'ENOENT') return undefined;
      if (!(error instanceof SluiceError)) throw error;
      broken.set(name, error);
      return undefined;
    }
  }
}

/** Reads and checks the index of a pack. Throws `ERR_PACK_INVALID`, `ERR_FORMAT_VERSION` or the system error. */
export function loadPack(files: Files, name: string, path: string): LoadedPack {
  const fd = files.openSync(path, 'r');
  try {
    const bytes = files.fstatSync(fd).size;
    if (bytes < PACK_HEADER_BYTES + PACK_TRAILER_BYTES) throw cutOff(name);
    const content = parsePackHeader(readAt(files, fd, 0, PACK_HEADER_BYTES, name), name);
    const trailer = readAt(files, fd, bytes - PACK_TRAILER_BYTES, PACK_TRAILER_BYTES, name);
    const tailBytes = packTailBytes(trailer, bytes, name);
    const tail = readAt(files, fd, bytes - tailBytes, tailBytes, name);
    const index = parsePackTail(tail, bytes, name);
    if (index.count > 0 && (index.entry(0).kind === BLOB) !== (content === BLOBS)) {
      throw new SluiceError('ERR_PACK_INVALID', `pack ${name} is damaged: it holds other objects than it says`);
    }
    return { name, path, bytes, index };
  } finally {
    files.closeSync(fd);
  }
}

function readAt(files: Files, fd: number, position: number, length: number, name: string): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  if (readWhole(files, fd, bytes, position) < length) throw cutOff(name);
  return bytes;
}

function cutOff(name: string): SluiceError {
  return new SluiceError('ERR_PACK_INVALID', `pack ${name} is damaged: it is cut off`);
}
