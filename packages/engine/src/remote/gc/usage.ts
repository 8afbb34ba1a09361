import { SluiceError } from '../../errors.js';
import { readChunks } from '../../model/chunk.js';
import { IN_MAP, IN_PACK, LOCATION_BYTES, readLocation } from '../../model/map.js';
import { OBJECT_HEADER_BYTES } from '../../model/pack.js';
import type { Area } from '../areas.js';
import { parseKey } from '../keys.js';
import type { StorageKey } from '../storage/port.js';
import { isDamage, type LoadedMap, type MapShelf, packsOf, parseMap } from './map-shelf.js';
import type { KeptPlan } from './plan-kept.js';
import { type Rewriting, rewriteMap } from './rewrite-map.js';
import { largeBlobsOf, type Survey, type SurveyTools } from './survey.js';

/** What kept maps need of the packs and large blobs of an area. */
export interface Usage {
  /** Objects that are needed of a pack: offsets with the bytes that they take there. */
  readonly packs: ReadonlyMap<StorageKey, ReadonlyMap<number, number>>;
  /** Packs that have to stay as they are: a map names them that cannot be written again. */
  readonly pinned: ReadonlySet<StorageKey>;
  readonly blobs: ReadonlySet<StorageKey>;
  /** The kept maps that have something in a pack and can be written again. */
  readonly namedBy: ReadonlyMap<StorageKey, readonly StorageKey[]>;
  /** Kept maps that name packs in which no kept map has anything, and can be written again. */
  readonly idle: readonly StorageKey[];
}

/**
 * What the kept maps need, as they are when those that are to be rewritten have been. Throws `ERR_GC_STOPPED` if one of them cannot be read, or is not signed although it has to be.
 */
export async function gatherUsage(tools: SurveyTools, survey: Survey, plan: KeptPlan): Promise<Usage> {
  const { own } = tools.remote.areas;
  const packs = new Map<StorageKey, Map<number, number>>();
  const pinned = new Set<StorageKey>();
  const blobs = new Set<StorageKey>();
  const namedBy = new Map<StorageKey, StorageKey[]>();
  const plain = new Set<StorageKey>();
  for (const key of plan.maps) {
    const surveyed = survey.maps.get(key);
    if (surveyed === undefined) continue;
    if (surveyed.problem !== undefined) throw stopAt(key, surveyed.problem);
    // Who exchanged it may have left out what the right one names, which would then be deleted. What others push is their own matter.
    if (surveyed.area === own && surveyed.unsigned !== undefined && !plan.foreign.has(key))
      throw stopAt(key, surveyed.unsigned);
    if (surveyed.area !== own || !surveyed.isPlain) {
      for (const pack of surveyed.packs) pinned.add(pack);
      for (const blob of surveyed.blobs) blobs.add(blob);
      continue;
    }
    plain.add(key);
    try {
      const map = await kept(tools.shelf, key);
      const inlined = plan.inlined.get(key);
      const named = inlined === undefined ? surveyed.blobs : await largeBlobsOf(tools, map, new Set([key, ...inlined]));
      for (const blob of named) blobs.add(blob);
      const after = inlined === undefined ? map : parseMap(await flattened(tools.shelf, map, inlined), key, key);
      for (const pack of addExtents(after, packs, own)) namedBy.set(pack, [...(namedBy.get(pack) ?? []), key]);
    } catch (error) {
      throw isDamage(error) ? stopAt(key, error) : error;
    }
  }
  const isIdle = (pack: StorageKey): boolean => parseKey(pack)?.area === own && !packs.has(pack) && !pinned.has(pack);
  const idle = [...plain].filter((key) => survey.maps.get(key)?.packs.some(isIdle) === true);
  return { packs, pinned, blobs, namedBy, idle };
}

/** The bytes of a kept map with what it needs of others, and with moved objects where they are now. */
export async function flattened(
  shelf: MapShelf,
  map: LoadedMap,
  inlined: ReadonlySet<StorageKey>,
  moved: Rewriting['moved'] = () => undefined,
): Promise<Buffer> {
  const inner = new Map<StorageKey, LoadedMap>();
  for (const key of inlined) inner.set(key, await kept(shelf, key));
  return rewriteMap(map, { inline: (key) => inner.get(key), moved });
}

/** Adds what a map has in packs of an area; returns those packs. */
function addExtents(map: LoadedMap, packs: Map<StorageKey, Map<number, number>>, own: Area): Set<StorageKey> {
  const keys = packsOf(map);
  const named = new Set<StorageKey>();
  const add = (pack: number, offset: number, stored: number): void => {
    const key = keys[pack];
    if (key === undefined || parseKey(key)?.area !== own) return;
    named.add(key);
    const extents = packs.get(key) ?? new Map<number, number>();
    packs.set(key, extents);
    extents.set(offset, OBJECT_HEADER_BYTES + stored);
  };
  const { nodes } = map.front;
  for (let i = 0; i < nodes.count; i++) {
    const row = nodes.row(i);
    if (row.how !== IN_MAP) add(row.place, row.offset, row.stored);
  }
  for (let at = 0; at < map.locations.length; at += LOCATION_BYTES) {
    const location = readLocation(map.locations, at, map.front, map.key);
    if (location.how === IN_PACK) add(location.pack, location.offset, location.stored);
  }
  for (const rows of [map.chunks, map.front.bases]) {
    for (const { pack, offset, stored } of readChunks(rows, map.front, map.key)) add(pack, offset, stored);
  }
  return named;
}

async function kept(shelf: MapShelf, key: StorageKey): Promise<LoadedMap> {
  const map = await shelf.load(key);
  if (map !== undefined) return map;
  throw new SluiceError('ERR_GC_STOPPED', `${key} is in use and was deleted meanwhile`, { hint: 'Try again.' });
}

function stopAt(key: StorageKey, cause: SluiceError): SluiceError {
  return new SluiceError(
    'ERR_GC_STOPPED',
    `nothing was deleted: ${key} is in use and cannot be relied on (${cause.message})`,
    {
      cause,
      hint: 'Run `sluice verify --remote --repair` in a workspace that has its data.',
    },
  );
}
