import { SluiceError } from '../errors.js';
import { digestFromRaw } from '../model/digest.js';
import { type HaveBlob, type HaveIndex, type HaveMap, type HavePack, haveKey } from './have-index.js';
import { parseKey } from './keys.js';
import type { MapBuilder } from './map-builder.js';
import { inParallel } from './parallel.js';
import type { Remote } from './remote.js';
import { readMapNames } from './remote-map.js';
import type { StorageKey } from './storage/port.js';

/** Something of the remote that a map is about to name. */
type Thing = HavePack | HaveMap | HaveBlob;

/** So many requests run at once at most, whatever the storage would take. */
const MOST_REQUESTS = 32;

/** A map that is about to be written, and the root of the version before if there is one. */
export interface Naming {
  readonly builder: MapBuilder;
  readonly before: Buffer | undefined;
}

/** What confirming needs; `bad`: keys that are there and are not to be relied on. */
export interface ConfirmContext {
  readonly remote: Remote;
  readonly have: HaveIndex;
  readonly bad: ReadonlySet<StorageKey>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes sure of each pack, map and large blob that maps will rely on and that this push did not write. A map that exists vouches for all that it
 * names, so one look into the map of the version before is often the only request; what it does not name is asked for, one request each.
 * What is gone or too short, or about to be deleted by a collection, is forgotten. Returns whether everything is there. `confirmed` holds what was found before.
 */
export async function confirm(
  context: ConfirmContext,
  namings: readonly Naming[],
  confirmed: Set<unknown>,
): Promise<boolean> {
  const { remote, have, signal } = context;
  const gone = await readVouchers(context, namings, confirmed);
  const open = new Map<Thing, number>();
  for (const [thing, bytes] of namings.flatMap(({ builder }) => [...builder.relied])) {
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

/** Reads a map for each root that relies on more than one thing, and confirms what it names. Returns the maps that are relied on and gone. */
async function readVouchers(
  context: ConfirmContext,
  namings: readonly Naming[],
  confirmed: Set<unknown>,
): Promise<Set<Thing>> {
  const { remote, have, signal } = context;
  // Where things are evicted, a map says nothing about what it names.
  if (!remote.storage.durable) return new Set();
  const vouchers = new Map<HaveMap, MapBuilder[]>();
  for (const naming of namings) {
    const voucher = await voucherOf(context, naming, confirmed);
    if (voucher !== undefined) vouchers.set(voucher, [...(vouchers.get(voucher) ?? []), naming.builder]);
  }
  const relied = new Set<unknown>(namings.flatMap(({ builder }) => [...builder.relied.keys()]));
  const gone = new Set<Thing>();
  const named = new Set<StorageKey>();
  await inParallel([...vouchers], MOST_REQUESTS, async ([map, builders]) => {
    const names = await namesOf(remote, map, signal);
    if (names === undefined) {
      if (relied.has(map)) gone.add(map);
      have.forget(map);
      return;
    }
    confirmed.add(map);
    for (const name of names) named.add(name);
    await passOn(context, names, builders);
  });
  for (const thing of namings.flatMap(({ builder }) => [...builder.relied.keys()])) {
    if (!gone.has(thing) && named.has(haveKey(thing))) confirmed.add(thing);
  }
  return gone;
}

/** The map of the version before names most of what the new one relies on; else the latest map that it relies on itself. */
async function voucherOf(
  { remote, have, signal }: ConfirmContext,
  { builder, before }: Naming,
  confirmed: Set<unknown>,
): Promise<HaveMap | undefined> {
  const open = [...builder.relied.keys()].filter((thing) => !confirmed.has(thing));
  const latest = have.latestMap(new Set(open));
  // To ask for two packs costs as much, and tells their lengths as well.
  if (open.length < 2 || (open.length === 2 && latest === undefined)) return undefined;
  for (const map of [before === undefined ? undefined : have.mapOf(before), latest]) {
    if (map !== undefined && !(await remote.lookout.isCondemned(map.area, haveKey(map), signal))) return map;
  }
  return undefined;
}

/** Lets new maps name the packs that the map before them names, for those that come after. */
async function passOn(
  { remote, bad, signal }: ConfirmContext,
  names: readonly StorageKey[],
  builders: readonly MapBuilder[],
): Promise<void> {
  for (const key of names) {
    const parts = parseKey(key);
    if (parts?.kind !== 'packs' || bad.has(key)) continue;
    if (await remote.lookout.isCondemned(parts.area, key, signal)) continue;
    for (const builder of builders) builder.passOn(parts.area, parts.raw);
  }
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
