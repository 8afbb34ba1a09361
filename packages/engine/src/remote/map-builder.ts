import { writeChunk } from '../model/chunk.js';
import { RAW_DIGEST_BYTES, rawOf } from '../model/digest.js';
import { encodeMap, writeLocation, writeNodeRow } from '../model/encode-map.js';
import {
  type BlobLocation,
  CHUNK_ROW_BYTES,
  IN_CHUNKS,
  IN_MAP,
  IN_PACK,
  LOCATION_BYTES,
  type MapName,
  NODE_ROW_BYTES,
  type NodeRow,
  OWN_KEY,
  PATCHED,
} from '../model/map.js';
import { CODEC_NONE, OBJECT_HEADER_BYTES } from '../model/pack.js';
import type { OutRoot } from '../model/root.js';
import { type Area, areaNumber } from './areas.js';
import { HAVE_NODE_BYTES, type HaveBlob, type HaveMap, type HavePack } from './have-index.js';

/** A place in a pack, of the remote or about to be sent. Only the pack is known for sure before a pack of blobs was sent. */
export interface PackPlace {
  readonly pack: PackRef;
  readonly offset: number;
  readonly stored: number;
  readonly codec: number;
  /** Only for a node that is stored as what is new in it. */
  readonly patch?: PatchedNode;
}

/** A node that is stored as what is new in it. */
export interface PatchedNode {
  /** 32 raw bytes. */
  readonly raw: Buffer;
  /** What it adds to; stored whole. */
  readonly base: PlacedChunk;
  /** Its own length. */
  readonly full: number;
}

/** A pack by its area and raw name; `have` if it was there before this push. */
export interface PackRef {
  readonly area: Area;
  readonly name: Buffer;
  readonly have: HavePack | undefined;
}

/** A chunk of a blob, or a base, and where it lies. */
export interface PlacedChunk {
  /** 32 raw bytes. */
  readonly raw: Buffer;
  readonly bytes: number;
  readonly place: PackPlace;
}

interface NumberedChunk {
  readonly chunk: PlacedChunk;
  /** Number of its pack. */
  readonly pack: number;
}

/** Most other maps, and most packs of earlier pushes, that a map names. */
const MOST_MAPS = 64;
const MOST_PACKS = 4096;
/** No pack is named in vain by a map that names so many. */
const MOST_PASSED_ON = 512;

/** Only nodes with this many files below are worth a reference of their own later, and parts of a split directory, of which there are few. */
export const NOTED_FILES = 16;

/** A node that was begun and is not ended. */
export interface OpenNode {
  readonly row: number;
  readonly number: number;
}

/** Collects the rows, locations and tables of one root's map in the order of the walk. */
export class MapBuilder {
  /** What the map relies on that this push did not write, and the fewest bytes that it must have. */
  readonly relied: Map<HavePack | HaveMap | HaveBlob, number> = new Map();
  private readonly packs = new Table();
  private readonly maps = new Table();
  private readonly rows: NodeRow[] = [];
  private readonly slices: Buffer[] = [];
  private readonly noted: Buffer[] = [];
  private locations: Buffer = Buffer.allocUnsafe(256 * LOCATION_BYTES);
  private locationCount = 0;
  /** Locations of what this push sends: they are settled when it has arrived. */
  private readonly open: { readonly at: number; readonly pack: number; readonly place: PackPlace }[] = [];
  private sliceCount = 0;
  private readonly chunks: NumberedChunk[] = [];
  private readonly bases: NumberedChunk[] = [];
  /** The first chunk of each blob, by its digest. */
  private readonly chunked = new Map<string, number>();
  private number = 0;

  /** A subtree that another map holds. */
  addReference(map: HaveMap, number: number, nodes: number, trees: number): void {
    this.relied.set(map, 0);
    const place = this.maps.of(map.area, map.root);
    const none = { codec: CODEC_NONE, stored: 0, full: 0, firstLocation: this.locationCount, locations: 0 };
    this.rows.push({ how: IN_MAP, place, offset: number, nodes, trees, ...none });
    this.number += nodes;
  }

  /** Begins a node; its blobs come next, then the nodes below it, then {@link endNode}. */
  beginNode(place: PackPlace): OpenNode {
    const { offset, stored, codec, patch } = place;
    const full = patch?.full ?? stored;
    const row = { offset, stored, full, nodes: 1, trees: 1, firstLocation: this.locationCount, locations: 0 };
    const how = patch === undefined ? IN_PACK : PATCHED;
    this.rows.push({ how, codec, place: this.packNumber(place), ...row });
    if (patch !== undefined) this.bases.push({ chunk: patch.base, pack: this.packNumber(patch.base.place) });
    return { row: this.rows.length - 1, number: this.number++ };
  }

  /** `trees`: in the whole subtree; `files` below it. */
  endNode({ row, number }: OpenNode, raw: Buffer, trees: number, files: number): void {
    const begun = this.rows[row];
    if (begun === undefined) return;
    const nodes = this.number - number;
    this.rows[row] = { ...begun, nodes, trees, locations: this.locationCount - begun.firstLocation };
    const isPart = trees === 0;
    if (files < NOTED_FILES && !isPart) return;
    const noted = Buffer.alloc(HAVE_NODE_BYTES);
    raw.copy(noted);
    noted.writeUInt32LE(number, RAW_DIGEST_BYTES);
    noted.writeUInt32LE(nodes, RAW_DIGEST_BYTES + 4);
    noted.writeUInt32LE(trees, RAW_DIGEST_BYTES + 8);
    this.noted.push(noted);
  }

  /** A blob in a pack. */
  addPacked(place: PackPlace): void {
    const { offset, stored, codec } = place;
    const pack = this.packNumber(place);
    if (place.pack.have === undefined) this.open.push({ at: this.locationCount * LOCATION_BYTES, pack, place });
    this.addLocation({ how: IN_PACK, codec, pack, offset, stored, area: 0 });
  }

  /** A blob that has a key of its own; `have` if it was there before. */
  addOwnKey(area: Area, slices: Buffer, have: HaveBlob | undefined): void {
    if (have !== undefined) this.relied.set(have, have.size);
    this.addLocation({
      how: OWN_KEY,
      codec: CODEC_NONE,
      pack: 0,
      offset: this.sliceCount,
      stored: 0,
      area: areaNumber(area),
    });
    this.slices.push(slices);
    this.sliceCount += slices.length / RAW_DIGEST_BYTES;
  }

  /** A blob in chunks. */
  addChunked(raw: Buffer, chunks: readonly PlacedChunk[]): void {
    const name = raw.toString('hex');
    const first = this.chunked.get(name) ?? this.chunks.length;
    if (first === this.chunks.length) {
      this.chunked.set(name, first);
      for (const chunk of chunks) this.chunks.push({ chunk, pack: this.packNumber(chunk.place) });
    }
    const where = { pack: 0, offset: first, stored: chunks.length, area: 0 };
    this.addLocation({ how: IN_CHUNKS, codec: CODEC_NONE, ...where });
  }

  /** The bytes of the map, when everything that it names was sent. */
  finish(root: OutRoot, objects: { blobs: number; trees: number; blobBytes: number }): Buffer {
    for (const { at, pack, place } of this.open) {
      const { offset, stored, codec } = place;
      writeLocation(this.locations, at, { how: IN_PACK, codec, pack, offset, stored, area: 0 });
    }
    const nodes = Buffer.alloc(this.rows.length * NODE_ROW_BYTES);
    this.rows.forEach((row, i) => {
      writeNodeRow(nodes, i * NODE_ROW_BYTES, row);
    });
    return encodeMap({
      rootKind: root.kind,
      root: rawOf(root.digest),
      files: root.files,
      bytes: root.bytes,
      ...objects,
      packs: this.packs.names,
      maps: this.maps.names,
      nodes,
      locations: this.locations.subarray(0, this.locationCount * LOCATION_BYTES),
      slices: Buffer.concat(this.slices),
      chunks: chunkRows(this.chunks),
      bases: chunkRows(this.bases),
    });
  }

  /** The nodes that later maps may refer to, as the have-index keeps them. */
  notedNodes(): Buffer {
    return Buffer.concat(this.noted);
  }

  /**
   * Names a pack that the map of the version before names, although nothing here lies in it: what comes next may need it again, and one look at this map will tell that it
   * is there. It was confirmed.
   */
  passOn(area: Area, name: Buffer): void {
    if (this.packs.names.length < MOST_PASSED_ON) this.packs.of(area, name);
  }

  /** Whether there is room to name another map: each costs a request when the map is written, so there are never many. */
  mayName(map: HaveMap): boolean {
    return this.relied.has(map) || this.maps.names.length < MOST_MAPS;
  }

  /** Whether there is room to name another pack that this push did not write. */
  mayUse(pack: HavePack): boolean {
    return this.relied.has(pack) || this.packs.names.length < MOST_PACKS;
  }

  private packNumber({ pack, offset, stored }: PackPlace): number {
    if (pack.have !== undefined) {
      const end = offset + OBJECT_HEADER_BYTES + stored;
      if (end > (this.relied.get(pack.have) ?? 0)) this.relied.set(pack.have, end);
    }
    return this.packs.of(pack.area, pack.name);
  }

  private addLocation(location: BlobLocation): void {
    const at = this.locationCount * LOCATION_BYTES;
    if (at === this.locations.length) this.locations = Buffer.concat([this.locations, Buffer.allocUnsafe(at)]);
    writeLocation(this.locations, at, location);
    this.locationCount++;
  }
}

function chunkRows(chunks: readonly NumberedChunk[]): Buffer {
  const rows = Buffer.alloc(chunks.length * CHUNK_ROW_BYTES);
  chunks.forEach(({ chunk: { raw, bytes, place }, pack }, i) => {
    const { offset, stored, codec } = place;
    writeChunk(rows, i * CHUNK_ROW_BYTES, { raw, bytes, pack, offset, stored, codec });
  });
  return rows;
}

/** Packs or maps by number, each once. */
class Table {
  readonly names: MapName[] = [];
  private readonly numbers = new Map<string, number>();
  private lastRaw: Buffer | undefined;
  private lastNumber = 0;

  of(area: Area, raw: Buffer): number {
    if (raw === this.lastRaw) return this.lastNumber;
    const name = `${areaNumber(area)}${raw.toString('latin1')}`;
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.names.length;
      this.names.push({ area: areaNumber(area), raw });
      this.numbers.set(name, number);
    }
    this.lastRaw = raw;
    this.lastNumber = number;
    return number;
  }
}
