import { SluiceError } from '../errors.js';
import { type Digest, digestFromRaw, shortDigest } from '../model/digest.js';
import { decodeMap, failMap, LOCATION_BYTES, OWN_KEY, readLocation } from '../model/map.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import { type Area, areaOf } from './areas.js';
import { mapKey, packKey } from './keys.js';
import { inParallel } from './parallel.js';
import type { Remote } from './remote.js';
import type { StorageKey } from './storage/port.js';

const LARGEST_MAP_BYTES = 2 ** 31 - 1;
const MOST_REQUESTS = 32;

/**
 * Whether a map keeps its promise as far as that can be seen without reading data: it is sound, and every pack and map that it names is there and long
 * enough. Throws `ERR_REMOTE_DOWN` or `ERR_REMOTE_DENIED` if that cannot be known.
 */
export async function isSound(remote: Remote, area: Area, root: Digest, signal?: AbortSignal): Promise<boolean> {
  const key = mapKey(area, root);
  const bytes = await remote.storage.get(key, { offset: 0, length: LARGEST_MAP_BYTES }, { signal });
  if (bytes === undefined) return false;
  try {
    const answers = await inParallel(claimsOf(bytes, area, root), MOST_REQUESTS, async ({ key: named, end }) => {
      const stat = await remote.storage.stat(named, { signal });
      return stat !== undefined && stat.bytes >= end;
    });
    return answers.every((there) => there);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_MAP_INVALID') return false;
    throw error;
  }
}

function claimsOf(bytes: Buffer, home: Area, root: Digest): { key: StorageKey; end: number }[] {
  const where = shortDigest(root);
  const { front, locations } = decodeMap(bytes, where);
  if (digestFromRaw(front.header.root) !== root) failMap(where, 'it is the map of another root');
  const area = (number: number): Area =>
    areaOf(number, home) ?? failMap(where, 'it names an area that it cannot reach');
  const ends = new Float64Array(front.packs.length);
  const reach = (pack: number, offset: number, stored: number): void => {
    ends[pack] = Math.max(ends[pack] ?? 0, offset + OBJECT_HEADER_BYTES + stored);
  };
  for (let at = 0; at < locations.length; at += LOCATION_BYTES) {
    const location = readLocation(locations, at, front, where);
    if (location.how !== OWN_KEY) reach(location.pack, location.offset, location.stored);
  }
  for (let i = 0; i < front.nodes.count; i++) {
    const row = front.nodes.row(i);
    if (row.how === 0) reach(row.place, row.offset, row.stored);
  }
  return [
    ...front.packs.map((pack, i) => ({ key: packKey(area(pack.area), pack.raw), end: ends[i] ?? 0 })),
    ...front.maps.map((map) => ({ key: mapKey(area(map.area), digestFromRaw(map.raw)), end: 0 })),
  ];
}
