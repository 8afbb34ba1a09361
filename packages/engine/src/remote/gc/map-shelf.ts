import { SluiceError } from '../../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES } from '../../model/digest.js';
import { CHUNK_ROW_BYTES, decodeMap, failMap, type MapFront, type MapName } from '../../model/map.js';
import { type Area, areaOf } from '../areas.js';
import { mapKey, packKey, parseKey, placeOf } from '../keys.js';
import { LARGEST_MAP_BYTES } from '../map-claims.js';
import type { Remote } from '../remote.js';
import type { StorageKey } from '../storage/port.js';

/** A whole map in memory, checked. */
export interface LoadedMap {
  readonly key: StorageKey;
  readonly area: Area;
  readonly root: Digest;
  readonly front: MapFront;
  readonly locations: Buffer;
  readonly slices: Buffer;
  readonly chunks: Buffer;
  /** Whether it has no sections but those that a collection can write again. */
  readonly isPlain: boolean;
}

/** Maps that are read again within so many bytes of others are read once. */
const SHELF_BYTES = 64 * 1024 * 1024;

/** Reads whole maps of a remote, and keeps the last ones. */
export class MapShelf {
  private readonly remote: Remote;
  private readonly signal: AbortSignal | undefined;
  private readonly maps = new Map<StorageKey, { readonly map: LoadedMap; readonly bytes: number }>();
  private bytes = 0;

  constructor(remote: Remote, signal: AbortSignal | undefined) {
    this.remote = remote;
    this.signal = signal;
  }

  /** `undefined` if it is gone. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
  async load(key: StorageKey): Promise<LoadedMap | undefined> {
    const known = this.maps.get(key);
    if (known !== undefined) return known.map;
    const { storage, signatures } = this.remote;
    const bytes = await storage.get(key, { offset: 0, length: LARGEST_MAP_BYTES }, { signal: this.signal });
    if (bytes === undefined) return undefined;
    const parsed = parseMap(bytes, key, placeOf(key, storage.description));
    // Who has no key leaves alone what is signed.
    const isPlain = parsed.isPlain && (signatures.canSign || parsed.front.header.signed === undefined);
    const map = { ...parsed, isPlain };
    this.maps.set(key, { map, bytes: bytes.length });
    this.bytes += bytes.length;
    for (const [oldest, { bytes: fewer }] of this.maps) {
      if (this.bytes <= SHELF_BYTES || oldest === key) break;
      this.maps.delete(oldest);
      this.bytes -= fewer;
    }
    return map;
  }
}

/** Reads a map; `where` names it in messages. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
export function parseMap(bytes: Buffer, key: StorageKey, where: string): LoadedMap {
  const parts = parseKey(key);
  const { front, locations, slices, chunks } = decodeMap(bytes, where);
  const { header } = front;
  if (parts?.kind !== 'maps' || !parts.raw.equals(header.root)) return failMap(where, 'it is the map of another root');
  const sections = locations.length + header.slices * RAW_DIGEST_BYTES + header.chunks * CHUNK_ROW_BYTES;
  const plainBytes = header.frontBytes + sections;
  const isPlain = header.totalBytes === plainBytes && slices.length === header.slices * RAW_DIGEST_BYTES;
  return { key, area: parts.area, root: digestFromRaw(parts.raw), front, locations, slices, chunks, isPlain };
}

/** The keys of the packs that a map names. Throws `ERR_MAP_INVALID`. */
export function packsOf(map: LoadedMap): StorageKey[] {
  return map.front.packs.map((pack) => packKey(areaIn(map, pack), pack.raw));
}

/** The keys of the maps that a map refers to. Throws `ERR_MAP_INVALID`. */
export function mapsOf(map: LoadedMap): StorageKey[] {
  return map.front.maps.map((name) => mapKey(areaIn(map, name), digestFromRaw(name.raw)));
}

function areaIn({ area, key }: LoadedMap, { area: number }: MapName): Area {
  return areaOf(number, area) ?? failMap(key, 'it names an area that it cannot reach');
}

/** Whether an error says that something on the remote is damaged or missing, and not that it could not be looked at. */
export function isDamage(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.exitCode === 4 && error.code !== 'ERR_FORMAT_VERSION';
}
