import { SluiceError } from '../errors.js';
import { digestFromRaw } from '../model/digest.js';
import { type HaveBlob, type HaveIndex, type HaveMap, type HavePack, haveKey } from './have-index.js';
import type { MapBuilder } from './map-builder.js';
import { inParallel } from './parallel.js';
import type { Remote } from './remote.js';
import { readMapNames } from './remote-map.js';
import type { StorageKey } from './storage/port.js';

/** Something of the remote that a map is about to name. */
type Thing = HavePack | HaveMap | HaveBlob;

/** So many requests run at once at most, whatever the storage would take. */
const MOST_REQUESTS = 32;

/**
 * Makes sure of each pack, map and large blob that maps will rely on and that this push did not write. A map that exists vouches for all that it
 * names, so one look into the latest map that a root relies on is often the only request; what it does not name is asked for, one request each.
 * What is gone or too short, or about to be deleted by a collection, is forgotten. Returns whether everything is there. `confirmed` holds what was found before.
 */
export async function confirm(
  remote: Remote,
  builders: readonly MapBuilder[],
  have: HaveIndex,
  confirmed: Set<unknown>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const gone = await readVouchers(remote, builders, have, confirmed, signal);
  const open = new Map<Thing, number>();
  for (const [thing, bytes] of builders.flatMap(({ relied }) => [...relied])) {
    if (!gone.has(thing)) open.set(thing, Math.max(bytes, open.get(thing) ?? 0));
  }
  const answers = await inParallel([...open], MOST_REQUESTS, async ([thing, bytes]) => {
    const key = haveKey(thing);
    const isListed = await remote.lookout.isCondemned(thing.area, key, signal);
    if (!isListed && confirmed.has(thing)) return true;
    const stat = isListed ? undefined : await remote.storage.stat(key, { signal });
    const sound = stat !== undefined && stat.bytes >= bytes;
    if (sound) confirmed.add(thing);
    else have.forget(thing);
    return sound;
  });
  return gone.size === 0 && answers.every((sound) => sound);
}

/** Reads the latest map of each root that relies on one and on more besides, and confirms what it names. Returns the maps that are gone. */
async function readVouchers(
  remote: Remote,
  builders: readonly MapBuilder[],
  have: HaveIndex,
  confirmed: Set<unknown>,
  signal: AbortSignal | undefined,
): Promise<Set<Thing>> {
  // Where things are evicted, a map says nothing about what it names.
  if (!remote.storage.durable) return new Set();
  const vouchers = new Set<HaveMap>();
  for (const { relied } of builders) {
    const open = [...relied.keys()].filter((thing) => !confirmed.has(thing));
    const latest = open.length > 1 ? have.latestMap(new Set(open)) : undefined;
    if (latest !== undefined) vouchers.add(latest);
  }
  const gone = new Set<Thing>();
  const named = new Set<StorageKey>();
  await inParallel([...vouchers], MOST_REQUESTS, async (map) => {
    if (await remote.lookout.isCondemned(map.area, haveKey(map), signal)) return;
    const names = await namesOf(remote, map, signal);
    if (names === undefined) {
      gone.add(map);
      have.forget(map);
      return;
    }
    confirmed.add(map);
    for (const name of names) named.add(name);
  });
  for (const thing of builders.flatMap(({ relied }) => [...relied.keys()])) {
    if (!gone.has(thing) && named.has(haveKey(thing))) confirmed.add(thing);
  }
  return gone;
}

/** Keys that a map names; `undefined` if it is gone, damaged or not signed although it has to be. */
async function namesOf(
  remote: Remote,
  map: HaveMap,
  signal: AbortSignal | undefined,
): Promise<readonly StorageKey[] | undefined> {
  try {
    return await readMapNames(remote, map.area, digestFromRaw(map.root), signal);
  } catch (error) {
    if (!(error instanceof SluiceError) || !['ERR_MAP_INVALID', 'ERR_SIGNATURE'].includes(error.code)) throw error;
    return undefined;
  }
}
