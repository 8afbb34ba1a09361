import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { Area } from './areas.js';
import { mapKey, placeOf } from './keys.js';
import { claimsOf, LARGEST_MAP_BYTES } from './map-claims.js';
import { inParallel } from './parallel.js';
import type { Storage, StorageKey } from './storage/port.js';

const MOST_REQUESTS = 16;

/**
 * Whether an area of a storage has all of a root, as far as its map knows. Where what is put stays, the map is proof, and one question is enough. Where it may be evicted, the map
 * is a hint: then every map and pack that it leads to has to be there too. A large blob inside of a tree is not looked at; if it is gone, fetching tells.
 */
export async function holdsRoot(
  storage: Storage,
  area: Area,
  root: Digest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (storage.durable) return (await storage.stat(mapKey(area, root), { signal })) !== undefined;
  const reached = new Map([[mapKey(area, root), { area, root }]]);
  const named = new Map<StorageKey, number>();
  for (const [key, map] of reached) {
    const bytes = await storage.get(key, { offset: 0, length: LARGEST_MAP_BYTES }, { signal });
    const claims = bytes === undefined ? undefined : soundClaims(bytes, map, placeOf(key, storage.description));
    if (claims === undefined) return false;
    for (const next of claims.maps) reached.set(mapKey(next.area, next.root), next);
    for (const pack of claims.packs) named.set(pack.key, Math.max(pack.end, named.get(pack.key) ?? 0));
    if (claims.ownKey !== undefined) named.set(claims.ownKey, claims.root.bytes);
  }
  const looks = await inParallel([...named], MOST_REQUESTS, async ([key, end]) => {
    const stat = await storage.stat(key, { signal });
    return stat !== undefined && stat.bytes >= end;
  });
  return looks.every((there) => there);
}

/** `undefined` for a map that is damaged: it is as good as none. */
function soundClaims(
  bytes: Buffer,
  { area, root }: { readonly area: Area; readonly root: Digest },
  where: string,
): ReturnType<typeof claimsOf> | undefined {
  try {
    return claimsOf(bytes, area, root, where);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_MAP_INVALID') return undefined;
    throw error;
  }
}
