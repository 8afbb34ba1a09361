import { readBase } from '../../model/base.js';
import { type ChunkRow, readChunks, writeChunk } from '../../model/chunk.js';
import { RAW_DIGEST_BYTES } from '../../model/digest.js';
import { encodeMap, writeLocation, writeNodeRow } from '../../model/encode-map.js';
import {
  type BlobLocation,
  CHUNK_ROW_BYTES,
  failMap,
  IN_MAP,
  IN_PACK,
  LOCATION_BYTES,
  type MapName,
  NODE_ROW_BYTES,
  type NodeRow,
  OWN_KEY,
  PATCHED,
  readLocation,
} from '../../model/map.js';
import type { StorageKey } from '../storage/port.js';
import { type LoadedMap, mapsOf, packsOf } from './map-shelf.js';

/** Where an object of a pack lies now: the raw name of a pack of the same area, and an offset in it. */
export interface Moved {
  readonly name: Buffer;
  readonly offset: number;
}

/** How a map is rewritten. */
export interface Rewriting {
  /** A map whose rows take the place of references to it. */
  readonly inline: (map: StorageKey) => LoadedMap | undefined;
  /** Where an object was moved to; `undefined` if it stays. */
  readonly moved: (pack: StorageKey, offset: number) => Moved | undefined;
}

/** Most packs, and most other maps, that one map can name. */
const MOST_NAMES = 65_535;

/**
 * The bytes of a map that says the same of its root with other places. Its nodes keep their numbers, so that references to it hold. Throws `ERR_MAP_INVALID`
 * if the rows of a map contradict each other.
 */
export function rewriteMap(map: LoadedMap, rewriting: Rewriting): Buffer {
  const { header } = map.front;
  const writer = new MapRewriter(rewriting, header.root);
  if (header.rootKind === 'blob') writer.locations(map, 0, 1);
  else writer.subtree(map, 0);
  return writer.finish(map);
}

/** Collects the rows of a map; areas of the tables are those of the maps' common area. */
class MapRewriter {
  private readonly rewriting: Rewriting;
  private readonly root: Buffer;
  private readonly packs = new Names();
  private readonly maps = new Names();
  private readonly rows: NodeRow[] = [];
  private readonly places: Buffer[] = [];
  private readonly slices: Buffer[] = [];
  private readonly keys = new Map<LoadedMap, { readonly packs: StorageKey[]; readonly maps: StorageKey[] }>();
  private placeCount = 0;
  private sliceCount = 0;
  private readonly chunks: Buffer[] = [];
  private readonly bases: Buffer[] = [];
  private chunkCount = 0;
  /** By map: where the chunks from one on are now; equal blobs share them. */
  private readonly chunksAt = new Map<LoadedMap, Map<number, number>>();

  constructor(rewriting: Rewriting, root: Buffer) {
    this.rewriting = rewriting;
    this.root = root;
  }

  /** A row of a map and all below it. */
  subtree(map: LoadedMap, index: number): void {
    const row = map.front.nodes.row(index);
    if (row.how === IN_MAP) {
      this.reference(map, row);
      return;
    }
    const below = rowsBelow(map, index);
    const inside = below.reduce((sum, child) => sum + map.front.nodes.row(child).locations, 0);
    const at = this.rows.length;
    const firstLocation = this.placeCount;
    const { name, offset } = this.place(map, row.place, row.offset);
    this.rows.push({ ...row, place: this.packs.of(name), offset, firstLocation });
    if (row.how === PATCHED) this.copyBase(map, index);
    this.locations(map, row.firstLocation, row.locations - inside);
    for (const child of below) this.subtree(map, child);
    const begun = this.rows[at];
    if (begun !== undefined) this.rows[at] = { ...begun, locations: this.placeCount - firstLocation };
  }

  /** Locations of a map, in order. */
  locations(map: LoadedMap, first: number, count: number): void {
    if (count < 0) failMap(map.key, 'its locations do not add up');
    const copies = Buffer.alloc(count * LOCATION_BYTES);
    for (let i = 0; i < count; i++) {
      const location = readLocation(map.locations, (first + i) * LOCATION_BYTES, map.front, map.key);
      if (location.how === IN_PACK) {
        const { name, offset } = this.place(map, location.pack, location.offset);
        writeLocation(copies, i * LOCATION_BYTES, { ...location, pack: this.packs.of(name), offset });
      } else if (location.how === OWN_KEY) {
        writeLocation(copies, i * LOCATION_BYTES, { ...location, offset: this.sliceCount });
        this.copySlices(map, location.offset, (first + i) * LOCATION_BYTES);
      } else {
        writeLocation(copies, i * LOCATION_BYTES, { ...location, offset: this.copyChunks(map, location) });
      }
    }
    this.places.push(copies);
    this.placeCount += count;
  }

  finish({ front: { header }, key }: LoadedMap): Buffer {
    const { names: packs } = this.packs;
    const { names: maps } = this.maps;
    if (packs.length > MOST_NAMES || maps.length > MOST_NAMES) failMap(key, 'it would name too many packs or maps');
    const nodes = Buffer.alloc(this.rows.length * NODE_ROW_BYTES);
    this.rows.forEach((row, i) => {
      writeNodeRow(nodes, i * NODE_ROW_BYTES, row);
    });
    const locations = Buffer.concat(this.places);
    const [slices, chunks, bases] = [Buffer.concat(this.slices), Buffer.concat(this.chunks), Buffer.concat(this.bases)];
    return encodeMap({ ...header, packs, maps, nodes, locations, slices, chunks, bases });
  }

  /** `row.offset`: number of a node in the map that is referred to; that map may itself have only a reference there. */
  private reference(map: LoadedMap, row: NodeRow): void {
    const key = this.keysOf(map).maps[row.place];
    const inner = key === undefined ? undefined : this.rewriting.inline(key);
    if (inner === undefined) {
      const name = map.front.maps[row.place] ?? failMap(map.key, 'a map is not in its table');
      if (name.raw.equals(this.root)) failMap(map.key, 'its references go round in a circle');
      this.rows.push({ ...row, place: this.maps.of(name), firstLocation: this.placeCount });
      return;
    }
    const { nodes } = inner.front;
    const index = nodes.find(row.offset);
    if (index < 0) failMap(inner.key, `it has no node ${row.offset}`);
    const found = nodes.row(index);
    const inside = row.offset - nodes.number(index);
    if (inside === 0 && found.nodes === row.nodes) this.subtree(inner, index);
    else if (found.how === IN_MAP && inside + row.nodes <= found.nodes) {
      this.reference(inner, { ...found, offset: found.offset + inside, nodes: row.nodes, trees: row.trees });
    } else failMap(inner.key, `its node ${row.offset} is not what ${map.key} says`);
  }

  private place(map: LoadedMap, pack: number, offset: number): { readonly name: MapName; readonly offset: number } {
    const name = map.front.packs[pack] ?? failMap(map.key, 'a pack is not in its table');
    const key = this.keysOf(map).packs[pack];
    const moved = key === undefined ? undefined : this.rewriting.moved(key, offset);
    return moved === undefined ? { name, offset } : { name: { ...name, raw: moved.name }, offset: moved.offset };
  }

  private keysOf(map: LoadedMap): { readonly packs: StorageKey[]; readonly maps: StorageKey[] } {
    const known = this.keys.get(map);
    if (known !== undefined) return known;
    const keys = { packs: packsOf(map), maps: mapsOf(map) };
    this.keys.set(map, keys);
    return keys;
  }

  /** Copies the chunks of a blob, with their places; returns the first one's number. */
  private copyChunks(map: LoadedMap, { offset: first, stored: count }: BlobLocation): number {
    const copied = this.chunksAt.get(map) ?? new Map<number, number>();
    this.chunksAt.set(map, copied);
    const known = copied.get(first);
    if (known !== undefined) return known;
    const rows = map.chunks.subarray(first * CHUNK_ROW_BYTES, (first + count) * CHUNK_ROW_BYTES);
    const copies = Buffer.alloc(rows.length);
    for (const [i, row] of readChunks(rows, map.front, map.key).entries()) this.copyChunk(map, row, copies, i);
    const at = this.chunkCount;
    copied.set(first, at);
    this.chunks.push(copies);
    this.chunkCount += count;
    return at;
  }

  private copyBase(map: LoadedMap, row: number): void {
    const copy = Buffer.alloc(CHUNK_ROW_BYTES);
    this.copyChunk(map, readBase(map.front, row, map.key), copy, 0);
    this.bases.push(copy);
  }

  private copyChunk(map: LoadedMap, row: ChunkRow, to: Buffer, number: number): void {
    const { name, offset } = this.place(map, row.pack, row.offset);
    writeChunk(to, number * CHUNK_ROW_BYTES, { ...row, pack: this.packs.of(name), offset });
  }

  /** The slices of a large blob reach to those of the next one, in the order of locations. */
  private copySlices(map: LoadedMap, first: number, locationAt: number): void {
    let end = map.slices.length / RAW_DIGEST_BYTES;
    for (let at = locationAt + LOCATION_BYTES; at < map.locations.length; at += LOCATION_BYTES) {
      const next = readLocation(map.locations, at, map.front, map.key);
      if (next.how !== OWN_KEY || next.offset < first) continue;
      end = Math.min(end, next.offset);
      break;
    }
    const slices = map.slices.subarray(first * RAW_DIGEST_BYTES, end * RAW_DIGEST_BYTES);
    this.slices.push(slices);
    this.sliceCount += slices.length / RAW_DIGEST_BYTES;
  }
}

/** The rows right below a row that is in a pack. */
function rowsBelow({ front: { nodes } }: LoadedMap, index: number): number[] {
  const rows: number[] = [];
  const end = nodes.number(index) + nodes.row(index).nodes;
  for (let at = index + 1; at < nodes.count && nodes.number(at) < end; ) {
    rows.push(at);
    const next = nodes.number(at) + nodes.row(at).nodes;
    at = next < end ? nodes.find(next) : nodes.count;
    if (at < 0) break;
  }
  return rows;
}

/** Packs or maps by number, each once. */
class Names {
  readonly names: MapName[] = [];
  private readonly numbers = new Map<string, number>();

  of(name: MapName): number {
    const id = `${name.area} ${name.raw.toString('latin1')}`;
    const known = this.numbers.get(id);
    if (known !== undefined) return known;
    this.names.push(name);
    this.numbers.set(id, this.names.length - 1);
    return this.names.length - 1;
  }
}
