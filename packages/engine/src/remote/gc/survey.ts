import { SluiceError } from '../../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES } from '../../model/digest.js';
import { LOCATION_BYTES, OWN_KEY, readLocation } from '../../model/map.js';
import { parseRecord } from '../../model/record.js';
import { TREE } from '../../model/tree.js';
import type { ObjectReader } from '../../store/reader.js';
import type { Area } from '../areas.js';
import { blobKey, mapKey, parseKey, placeOf } from '../keys.js';
import { inParallel } from '../parallel.js';
import type { Remote } from '../remote.js';
import { OpenMaps } from '../remote-map.js';
import { RemoteNodes } from '../remote-nodes.js';
import type { ListedObject, StorageKey } from '../storage/port.js';
import { walkMap } from '../walk-map.js';
import { isDamage, type LoadedMap, type MapShelf, mapsOf, packsOf } from './map-shelf.js';

/** A map of a remote and what it names. */
export interface SurveyedMap {
  readonly object: ListedObject;
  readonly area: Area;
  readonly root: Digest;
  readonly packs: readonly StorageKey[];
  readonly maps: readonly StorageKey[];
  /** Large blobs in its own rows. */
  readonly blobs: readonly StorageKey[];
  /** Whether a collection can write it again. */
  readonly isPlain: boolean;
  /** Why it cannot be read, or not in full; then what it names is not all there. */
  readonly problem: SluiceError | undefined;
  /** Why what it names is not to be believed: it would have to be signed. */
  readonly unsigned?: SluiceError | undefined;
}

/** A record of a remote; one that cannot be read names nothing. */
export interface SurveyedRecord {
  readonly object: ListedObject;
  readonly area: Area;
  readonly roots: readonly Digest[];
}

/** Everything that lies on a remote. */
export interface Survey {
  readonly objects: ReadonlyMap<StorageKey, ListedObject>;
  readonly maps: ReadonlyMap<StorageKey, SurveyedMap>;
  readonly records: ReadonlyMap<StorageKey, SurveyedRecord>;
}

/** What a survey works with. */
export interface SurveyTools {
  readonly remote: Remote;
  readonly shelf: MapShelf;
  /** Nodes that the store has are not read from the remote. */
  readonly reader: ObjectReader;
  readonly signal: AbortSignal | undefined;
}

const LARGEST_RECORD_BYTES = 16 * 1024 * 1024;
const MOST_REQUESTS = 16;

/** Lists a remote, and reads its maps and records. Throws `ERR_FORMAT_VERSION` for one of a newer Sluice, and what the storage throws. */
export async function surveyRemote(tools: SurveyTools): Promise<Survey> {
  const { remote, signal } = tools;
  const objects = new Map<StorageKey, ListedObject>();
  for await (const object of remote.storage.list?.('', { signal }) ?? []) objects.set(object.key, object);
  const ofKind = (kind: string): ListedObject[] =>
    [...objects.values()].filter(({ key }) => parseKey(key)?.kind === kind);
  const maps = await inParallel(ofKind('maps'), MOST_REQUESTS, (object) => surveyMap(tools, object));
  const records = await inParallel(ofKind('records'), MOST_REQUESTS, (object) => surveyRecord(tools, object));
  const byKey = <T extends { readonly object: ListedObject }>(found: readonly (T | undefined)[]): Map<StorageKey, T> =>
    new Map(found.flatMap((one) => (one === undefined ? [] : [[one.object.key, one]])));
  return { objects, maps: byKey(maps), records: byKey(records) };
}

async function surveyMap(tools: SurveyTools, object: ListedObject): Promise<SurveyedMap | undefined> {
  const parts = parseKey(object.key);
  if (parts === undefined) return undefined;
  const base = { object, area: parts.area, root: digestFromRaw(parts.raw) };
  let named = { packs: [] as StorageKey[], maps: [] as StorageKey[], blobs: [] as StorageKey[], isPlain: false };
  try {
    const map = await tools.shelf.load(object.key);
    // Somebody deleted it since it was listed.
    if (map === undefined) return undefined;
    named = { ...named, packs: packsOf(map), maps: mapsOf(map), isPlain: map.isPlain };
    const blobs = await largeBlobsOf(tools, map, new Set([map.key]));
    const where = placeOf(object.key, tools.remote.description);
    const unsigned = tools.remote.signatures.problemOfMap(map.front.header, parts.area, where);
    return { ...base, ...named, blobs, problem: undefined, unsigned };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { ...base, ...named, problem: error };
  }
}

/** The large blobs that a root has in the rows of the given maps. Throws like {@link walkMap}. */
export async function largeBlobsOf(
  { remote, reader, signal }: SurveyTools,
  { area, root, front: { header } }: LoadedMap,
  holders: ReadonlySet<StorageKey>,
): Promise<StorageKey[]> {
  if (header.slices === 0 && header.maps === 0) return [];
  if (header.slices === 0 && holders.size === 1) return [];
  const maps = new OpenMaps(remote, 'all', signal);
  const map = await maps.in(area, root);
  if (map === undefined) return [];
  if (header.rootKind === 'blob') {
    const location = readLocation(await map.locations(0, 1), 0, map.front, map.where);
    return location.how === OWN_KEY ? [blobKey(map.areaOf(location.area), root)] : [];
  }
  const keys: StorageKey[] = [];
  const named = { kind: header.rootKind, digest: root, exec: false, files: header.files, bytes: header.bytes };
  const nodes = new RemoteNodes(remote.storage, signal);
  for await (const { node, spot, readLocations } of walkMap({ maps, nodes, reader }, map, named)) {
    if (spot.map.front.header.slices === 0 || !holders.has(mapKey(spot.map.area, spot.map.root))) continue;
    const rows = await readLocations();
    for (let i = 0, at = 0; i < node.kinds.length; i++) {
      if (node.kinds[i] === TREE) continue;
      const location = readLocation(rows, at, spot.map.front, spot.map.where);
      at += LOCATION_BYTES;
      if (location.how !== OWN_KEY) continue;
      keys.push(blobKey(spot.map.areaOf(location.area), digestFromRaw(node.digests, i * RAW_DIGEST_BYTES)));
    }
  }
  return keys;
}

async function surveyRecord(
  { remote, signal }: SurveyTools,
  object: ListedObject,
): Promise<SurveyedRecord | undefined> {
  const parts = parseKey(object.key);
  if (parts === undefined) return undefined;
  const bytes = await remote.storage.get(object.key, { offset: 0, length: LARGEST_RECORD_BYTES }, { signal });
  if (bytes === undefined) return undefined;
  try {
    const { outs } = parseRecord(bytes.toString('utf8'), object.key);
    return { object, area: parts.area, roots: [...outs.values()].map(({ digest }) => digest) };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code === 'ERR_FORMAT_VERSION') throw error;
    return { object, area: parts.area, roots: [] };
  }
}
