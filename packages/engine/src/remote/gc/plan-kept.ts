import type { Digest } from '../../model/digest.js';
import type { Area } from '../areas.js';
import type { StorageKey } from '../storage/port.js';
import type { Survey, SurveyedMap, SurveyedRecord } from './survey.js';

/** What decides which maps of an area are kept. Times are those of the storage, in ms. */
export interface KeptOptions {
  readonly own: Area;
  /** Roots that something in scope names. */
  readonly live: ReadonlySet<Digest>;
  /** Roots that this repository has ever named; others are foreign. */
  readonly known: ReadonlySet<Digest>;
  /** What was written since then is kept. */
  readonly youngMs: number;
  /** Roots of the area's records that were written since then are kept. */
  readonly recordsMs: number;
  /** Foreign roots whose maps were written before are not kept; `undefined` keeps them all. */
  readonly foreignMs: number | undefined;
}

/** Which maps and records are kept. */
export interface KeptPlan {
  readonly maps: ReadonlySet<StorageKey>;
  readonly records: ReadonlySet<StorageKey>;
  /** Kept maps that refer to maps that are not, with all of those that they lead to: they are to be rewritten. */
  readonly inlined: ReadonlyMap<StorageKey, ReadonlySet<StorageKey>>;
  /** Kept for no other reason than that nobody here knows their roots. */
  readonly foreign: ReadonlySet<StorageKey>;
}

/** Decides what is kept. Whatever lies in another area is, and what it refers to. */
export function planKept(survey: Survey, options: KeptOptions): KeptPlan {
  const { maps, records } = survey;
  const recorded = new Set<Digest>();
  for (const { area, object, roots } of records.values()) {
    if (area !== options.own || object.modifiedMs > options.recordsMs) for (const root of roots) recorded.add(root);
  }
  const kept = new Set<StorageKey>();
  const foreign = new Set<StorageKey>();
  for (const map of maps.values()) {
    const reason = reasonToKeep(map, recorded, options);
    if (reason !== undefined) kept.add(map.object.key);
    if (reason === 'foreign') foreign.add(map.object.key);
  }
  // What cannot be written again keeps what it refers to, and so on: a set grows while it is walked.
  for (const key of kept) {
    const map = maps.get(key);
    if (map === undefined) continue;
    for (const named of map.maps) {
      if (!isRewritable(map, options.own) || !isRewritable(maps.get(named), options.own)) kept.add(named);
    }
  }
  const inlined = new Map<StorageKey, Set<StorageKey>>();
  for (const key of kept) {
    const reached = reachedOf(key, kept, maps);
    if (reached.size === 0) continue;
    const all = [key, ...reached].every((one) => isRewritable(maps.get(one), options.own));
    // Somewhere on the way is one that cannot be taken over: then all of it stays as it is.
    if (all) inlined.set(key, reached);
    else for (const one of reached) kept.add(one);
  }
  for (const [key, reached] of inlined) {
    for (const one of reached) if (kept.has(one)) reached.delete(one);
    if (reached.size === 0) inlined.delete(key);
  }
  return { maps: kept, records: keptRecords(survey, kept, options), inlined, foreign };
}

function reasonToKeep(
  { area, root, object }: SurveyedMap,
  recorded: ReadonlySet<Digest>,
  { own, live, known, youngMs, foreignMs }: KeptOptions,
): 'named' | 'foreign' | undefined {
  if (area !== own || live.has(root) || recorded.has(root) || object.modifiedMs > youngMs) return 'named';
  if (known.has(root)) return undefined;
  return foreignMs === undefined || object.modifiedMs > foreignMs ? 'foreign' : undefined;
}

/** The maps that are not kept and that a map leads to without passing a kept one. */
function reachedOf(
  from: StorageKey,
  kept: ReadonlySet<StorageKey>,
  maps: ReadonlyMap<StorageKey, SurveyedMap>,
): Set<StorageKey> {
  const reached = new Set<StorageKey>();
  const visit = (key: StorageKey): void => {
    for (const named of maps.get(key)?.maps ?? []) {
      if (kept.has(named) || reached.has(named) || !maps.has(named)) continue;
      reached.add(named);
      visit(named);
    }
  };
  visit(from);
  return reached;
}

function isRewritable(map: SurveyedMap | undefined, own: Area): boolean {
  return map !== undefined && map.area === own && map.isPlain && map.problem === undefined;
}

/** A record is of use while all its roots are there. */
function keptRecords(
  { records, maps }: Survey,
  kept: ReadonlySet<StorageKey>,
  { own, youngMs }: KeptOptions,
): Set<StorageKey> {
  const roots = new Set([...kept].flatMap((key) => maps.get(key)?.root ?? []));
  const isKept = ({ area, object, roots: named }: SurveyedRecord): boolean =>
    area !== own || object.modifiedMs > youngMs || named.every((root) => roots.has(root));
  return new Set([...records].flatMap(([key, record]) => (isKept(record) ? [key] : [])));
}
