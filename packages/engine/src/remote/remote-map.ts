import { SluiceError } from '../errors.js';
import { type ChunkRow, readChunksOf } from '../model/chunk.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES, rawOf, shortDigest } from '../model/digest.js';
import {
  CHUNK_ROW_BYTES,
  decodeMap,
  failMap,
  IN_MAP,
  LARGEST_MAP_HEADER_BYTES,
  LOCATION_BYTES,
  type MapFront,
  type MapHeader,
  type NodeRow,
  parseMapFront,
  parseMapHeader,
} from '../model/map.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import { type Area, areaOf } from './areas.js';
import { mapKey, packKey, placeOf } from './keys.js';
import { LARGEST_MAP_BYTES } from './map-claims.js';
import { RangeReader } from './range-reader.js';
import { firstInAreas, type Remote } from './remote.js';
import type { Storage, StorageKey } from './storage/port.js';

/** First read of a map when all of it is wanted, and when a few objects are. */
export const WHOLE_BYTES: number = 4 * 1024 * 1024;
const SOME_BYTES = 16 * 1024;
/** A front of this size has millions of nodes; a larger one is a lie. */
const LARGEST_FRONT_BYTES = 512 * 1024 * 1024;

/** The front of a map of 2,000 nodes. */
const USUAL_FRONT_BYTES = 64 * 1024;

/** How much of a root is wanted: it decides how far ahead is read. A `proof` is read whole and at once, and signed: none of it may have another origin. */
export type Appetite = 'all' | 'some' | 'proof';

/** Where a node is said to be: its number in a map. */
export interface Spot {
  readonly map: RemoteMap;
  readonly number: number;
}

/** A spot in the map that holds the node itself. */
export interface SettledSpot extends Spot {
  readonly row: NodeRow;
}

/** A map on the remote whose front is read and checked; the rest is read where it is wanted. */
export class RemoteMap {
  readonly area: Area;
  readonly root: Digest;
  readonly front: MapFront;
  /** Names the map in messages. */
  readonly where: string;
  private readonly reader: RangeReader;
  private readonly ahead: number;
  private readonly packKeys: readonly StorageKey[];
  /** Ends of the nodes in each pack: nothing behind them is worth reading ahead. */
  private readonly nodeEnds: Float64Array;

  constructor(area: Area, root: Digest, front: MapFront, where: string, reader: RangeReader, appetite: Appetite) {
    this.area = area;
    this.root = root;
    this.front = front;
    this.where = where;
    this.reader = reader;
    this.ahead = appetite === 'some' ? 0 : WHOLE_BYTES;
    this.packKeys = front.packs.map((pack) => packKey(this.areaOf(pack.area), pack.raw));
    this.nodeEnds = new Float64Array(front.packs.length);
    for (let i = 0; i < front.nodes.count; i++) {
      const { how, place, offset, stored } = front.nodes.row(i);
      if (how === IN_MAP) continue;
      this.nodeEnds[place] = Math.max(this.nodeEnds[place] ?? 0, offset + OBJECT_HEADER_BYTES + stored);
    }
  }

  /** The key of a pack in the table. */
  packKey(pack: number): StorageKey {
    return this.packKeys[pack] ?? failMap(this.where, 'a pack is not in its table');
  }

  /** How many bytes from a node on are worth reading with it. */
  aheadOfNode(row: NodeRow): number {
    return this.ahead === 0 ? 0 : (this.nodeEnds[row.place] ?? 0) - row.offset;
  }

  /** The area of a number in the tables. */
  areaOf(number: number): Area {
    return areaOf(number, this.area) ?? failMap(this.where, 'it names an area that it cannot reach');
  }

  /** The bytes of `count` blob locations. Throws `ERR_MAP_INVALID`. */
  locations(first: number, count: number): Promise<Buffer> {
    const { header } = this.front;
    if (first + count > header.locations) failMap(this.where, 'locations lie outside it');
    const behind = header.totalBytes - header.frontBytes - first * LOCATION_BYTES;
    return this.section(header.frontBytes + first * LOCATION_BYTES, count * LOCATION_BYTES, behind);
  }

  /** The digests of `count` slices. Throws `ERR_MAP_INVALID`. */
  slices(first: number, count: number): Promise<Buffer> {
    const { header } = this.front;
    if (first + count > header.slices) failMap(this.where, 'slices lie outside it');
    const at = header.frontBytes + header.locations * LOCATION_BYTES + first * RAW_DIGEST_BYTES;
    return this.section(at, count * RAW_DIGEST_BYTES, header.totalBytes - at);
  }

  /** The chunks of a blob of a size. Throws `ERR_MAP_INVALID`. */
  async chunksOf(size: number, first: number, count: number): Promise<ChunkRow[]> {
    const { header } = this.front;
    if (first + count > header.chunks) failMap(this.where, 'chunks lie outside it');
    const behind = header.chunks * CHUNK_ROW_BYTES;
    const at = header.totalBytes - behind + first * CHUNK_ROW_BYTES;
    const bytes = await this.section(at, count * CHUNK_ROW_BYTES, header.totalBytes - at);
    // Copied: the window that they were read in is not to stay for their sake.
    return readChunksOf(size, Buffer.from(bytes), this.front, this.where);
  }

  private async section(offset: number, length: number, behind: number): Promise<Buffer> {
    const bytes = await this.reader.read(offset, length, Math.min(this.ahead, behind));
    if (bytes === undefined || bytes.length < length) return failMap(this.where, 'it is cut off');
    return bytes;
  }
}

/** Reads only the header of a map: a small request that also tells that the map is there and of this root. Its checksum is not checked. */
export async function readMapHeader(
  remote: Remote,
  area: Area,
  root: Digest,
  signal?: AbortSignal,
): Promise<MapHeader | undefined> {
  const key = mapKey(area, root);
  const bytes = await remote.storage.get(key, { offset: 0, length: LARGEST_MAP_HEADER_BYTES }, { signal });
  if (bytes === undefined) return undefined;
  const where = placeOf(key, remote.description);
  return ofRoot(parseMapHeader(bytes, where), root, where);
}

/**
 * The packs and maps that the map of a root names, as keys, with one request; `undefined` if there is no map. Of a map whose front is longer than most,
 * none. Throws `ERR_MAP_INVALID`, `ERR_FORMAT_VERSION`, or `ERR_SIGNATURE` if it has to be signed.
 */
export async function readMapNames(
  remote: Remote,
  area: Area,
  root: Digest,
  signal?: AbortSignal,
): Promise<StorageKey[] | undefined> {
  const key = mapKey(area, root);
  const where = placeOf(key, remote.description);
  const bytes = await remote.storage.get(key, { offset: 0, length: USUAL_FRONT_BYTES }, { signal });
  if (bytes === undefined) return undefined;
  const header = ofRoot(parseMapHeader(bytes, where), root, where);
  const problem = remote.signatures.problemOfMap(header, area, where);
  if (problem !== undefined) throw problem;
  if (header.frontBytes > USUAL_FRONT_BYTES) return [];
  const { packs, maps } = parseMapFront(bytes, where);
  const inArea = (number: number): Area =>
    areaOf(number, area) ?? failMap(where, 'it names an area that it cannot reach');
  return [
    ...packs.map((pack) => packKey(inArea(pack.area), pack.raw)),
    ...maps.map((map) => mapKey(inArea(map.area), digestFromRaw(map.raw))),
  ];
}

/** Opens the map of a root in one area; `undefined` if there is none. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`, and `ERR_SIGNATURE` for a proof that is none. */
export async function openMap(
  remote: Remote,
  area: Area,
  root: Digest,
  appetite: Appetite,
  signal?: AbortSignal,
): Promise<RemoteMap | undefined> {
  const key = mapKey(area, root);
  const where = placeOf(key, remote.description);
  const storage = appetite === 'proof' ? await wholeProof(remote, area, key, where, signal) : remote.storage;
  const reader = new RangeReader(storage, key, signal);
  const first = await reader.read(0, appetite === 'some' ? SOME_BYTES : WHOLE_BYTES);
  if (first === undefined) return undefined;
  const header = ofRoot(parseMapHeader(first, where), root, where);
  if (header.frontBytes > LARGEST_FRONT_BYTES) failMap(where, 'its front is too large');
  const front = first.length >= header.frontBytes ? first : await reader.read(0, header.frontBytes);
  if (front === undefined) return undefined;
  return new RemoteMap(area, root, parseMapFront(front, where), where, reader, appetite);
}

/** Where a map is in memory, whole, sound and signed. */
async function wholeProof(
  { storage, signatures }: Remote,
  area: Area,
  key: StorageKey,
  where: string,
  signal: AbortSignal | undefined,
): Promise<Pick<Storage, 'get'>> {
  const bytes = await storage.get(key, { offset: 0, length: LARGEST_MAP_BYTES }, { signal });
  if (bytes === undefined) return { get: async () => undefined };
  const problem = signatures.problemOfMap(decodeMap(bytes, where).front.header, area, where);
  if (problem !== undefined) throw problem;
  return { get: async (_, { offset, length }) => bytes.subarray(offset, offset + length) };
}

/** The maps that one operation has opened; each is read once. */
export class OpenMaps {
  private readonly remote: Remote;
  private readonly appetite: Appetite;
  private readonly signal: AbortSignal | undefined;
  private readonly opened = new Map<string, Promise<RemoteMap | undefined>>();

  constructor(remote: Remote, appetite: Appetite, signal: AbortSignal | undefined) {
    this.remote = remote;
    this.appetite = appetite;
    this.signal = signal;
  }

  in(area: Area, root: Digest): Promise<RemoteMap | undefined> {
    const name = `${area}/${root}`;
    const known = this.opened.get(name);
    if (known !== undefined) return known;
    const opening = openMap(this.remote, area, root, this.appetite, this.signal);
    this.opened.set(name, opening);
    return opening;
  }

  /** The map of a root in the first of the areas that has one. */
  inFirst(areas: readonly Area[], root: Digest): Promise<RemoteMap | undefined> {
    return firstInAreas(areas, (area) => this.in(area, root));
  }

  /** Those that could be opened. */
  async all(): Promise<RemoteMap[]> {
    const settled = await Promise.allSettled(this.opened.values());
    return settled.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []));
  }

  /**
   * Follows references until a map that holds the node itself. Throws `ERR_MAP_INVALID` if they lead nowhere, and `ERR_OBJECT_MISSING` if
   * a map on the way is gone.
   */
  async settle(spot: Spot): Promise<SettledSpot> {
    let { map, number } = spot;
    for (let step = 0; step <= MOST_STEPS; step++) {
      const { nodes, maps } = map.front;
      const index = nodes.find(number);
      if (index < 0) return failMap(map.where, `it has no node ${number}`);
      const row = nodes.row(index);
      const inside = number - nodes.number(index);
      if (row.how !== IN_MAP) {
        return inside === 0 ? { map, number, row } : failMap(map.where, `it has no row for node ${number}`);
      }
      const name = maps[row.place] ?? failMap(map.where, 'a map is not in its table');
      number = row.offset + inside;
      map = await this.needed(map, map.areaOf(name.area), digestFromRaw(name.raw));
    }
    return failMap(map.where, 'its references go round in a circle');
  }

  private async needed(from: RemoteMap, area: Area, root: Digest): Promise<RemoteMap> {
    const map = await this.in(area, root);
    if (map !== undefined) return map;
    throw new SluiceError('ERR_OBJECT_MISSING', `${from.where} names a map that is gone: ${shortDigest(root)}`, {
      hint: 'Push the data again from a workspace that has it, with `sluice push --verify`.',
    });
  }
}

/** The spots of the first `count` nodes right below a node, in the order of its entries. Throws `ERR_MAP_INVALID` if the map has fewer. */
export function spotsBelow({ map, number, row }: SettledSpot, count: number): Spot[] {
  const spots: Spot[] = [];
  const { nodes } = map.front;
  let at = number + 1;
  for (let i = 0; i < count; i++) {
    const index = at < number + row.nodes ? nodes.find(at) : -1;
    if (index < 0 || nodes.number(index) !== at)
      return failMap(map.where, 'a node has fewer nodes below it than its tree');
    spots.push({ map, number: at });
    at += nodes.row(index).nodes;
  }
  return spots;
}

const MOST_STEPS = 16;

function ofRoot(header: MapHeader, root: Digest, where: string): MapHeader {
  return header.root.equals(rawOf(root)) ? header : failMap(where, 'it is the map of another root');
}
