import { type ChunkRow, readChunks } from '../model/chunk.js';
import { type Digest, digestFromRaw } from '../model/digest.js';
import {
  decodeMap,
  failMap,
  IN_MAP,
  IN_PACK,
  LOCATION_BYTES,
  type MapFront,
  OWN_KEY,
  readLocation,
} from '../model/map.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import type { OutRoot } from '../model/root.js';
import { type Area, areaOf } from './areas.js';
import { blobKey, packKey } from './keys.js';
import type { StorageKey } from './storage/port.js';

/** What a map says to be on its remote, apart from large blobs that only trees name. */
export interface MapClaims {
  readonly root: OutRoot;
  /** `end`: bytes that it has at least. */
  readonly packs: readonly { readonly key: StorageKey; readonly end: number }[];
  readonly maps: readonly { readonly area: Area; readonly root: Digest }[];
  /** Whether trees name blobs that lie in no pack as a whole. */
  readonly hasLarge: boolean;
  /** The key of the root, where it is a blob with a key of its own. */
  readonly ownKey: StorageKey | undefined;
}

/** More than any map has. */
export const LARGEST_MAP_BYTES: number = 2 ** 31 - 1;

/** Reads all of a map. Throws `ERR_MAP_INVALID` or `ERR_FORMAT_VERSION`. */
export function claimsOf(bytes: Buffer, home: Area, root: Digest, where: string): MapClaims {
  const { front, locations, chunks } = decodeMap(bytes, where);
  const { header } = front;
  if (digestFromRaw(header.root) !== root) failMap(where, 'it is the map of another root');
  const area = (number: number): Area =>
    areaOf(number, home) ?? failMap(where, 'it names an area that it cannot reach');
  const ends = endsOfPacks(front, locations, readChunks(Buffer.concat([front.bases, chunks]), front, where), where);
  return {
    root: { kind: header.rootKind, digest: root, exec: false, files: header.files, bytes: header.bytes },
    packs: front.packs.map((pack, i) => ({ key: packKey(area(pack.area), pack.raw), end: ends[i] ?? 0 })),
    maps: front.maps.map((map) => ({ area: area(map.area), root: digestFromRaw(map.raw) })),
    hasLarge: header.slices > 0 || header.chunks > 0,
    ownKey: header.rootKind === 'blob' ? ownKeyOf(front, locations, root, area, where) : undefined,
  };
}

function ownKeyOf(
  front: MapFront,
  locations: Buffer,
  root: Digest,
  area: (number: number) => Area,
  where: string,
): StorageKey | undefined {
  const location = readLocation(locations, 0, front, where);
  return location.how === OWN_KEY ? blobKey(area(location.area), root) : undefined;
}

function endsOfPacks(front: MapFront, locations: Buffer, chunks: readonly ChunkRow[], where: string): Float64Array {
  const ends = new Float64Array(front.packs.length);
  const reach = (pack: number, offset: number, stored: number): void => {
    ends[pack] = Math.max(ends[pack] ?? 0, offset + OBJECT_HEADER_BYTES + stored);
  };
  for (let at = 0; at < locations.length; at += LOCATION_BYTES) {
    const location = readLocation(locations, at, front, where);
    if (location.how === IN_PACK) reach(location.pack, location.offset, location.stored);
  }
  for (const { pack, offset, stored } of chunks) reach(pack, offset, stored);
  for (let i = 0; i < front.nodes.count; i++) {
    const row = front.nodes.row(i);
    if (row.how !== IN_MAP) reach(row.place, row.offset, row.stored);
  }
  return ends;
}
