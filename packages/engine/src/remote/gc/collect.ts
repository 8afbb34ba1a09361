import { SluiceError } from '../../errors.js';
import type { Digest } from '../../model/digest.js';
import type { PackIndex } from '../../model/pack.js';
import type { ObjectReader } from '../../store/reader.js';
import { condemnedKey, parseKey } from '../keys.js';
import type { Remote } from '../remote.js';
import { bodyOf, type ListedObject, type StorageKey } from '../storage/port.js';
import { type Condemned, readCondemned, writeCondemned } from './condemned.js';
import { GcCounter, type GcSum, readIndexes } from './count.js';
import { HOLD_TIMES, type Hold, type HoldTimes, withHold } from './hold.js';
import { MapShelf, parseMap } from './map-shelf.js';
import { type KeptPlan, planKept } from './plan-kept.js';
import { COPIED_BYTES, findSparse, type Repacked, repack } from './repack.js';
import { type Survey, type SurveyTools, surveyRemote } from './survey.js';
import { carryOut, planSweep, type Sweep } from './sweep.js';
import { dropUnfinished, type Unfinished } from './unfinished.js';
import { flattened, gatherUsage, type Usage } from './usage.js';

/** The roots that decide what is kept: `live` are in scope, `known` were ever named by the repository that asks. */
export interface GcRemoteRoots {
  readonly live: ReadonlySet<Digest>;
  readonly known: ReadonlySet<Digest>;
}

/** How a remote is collected. */
export interface CollectRemoteOptions {
  readonly remote: Remote;
  /** Trees that the store has are not read from the remote. */
  readonly reader: ObjectReader;
  /** Asked when the hold is there. What it throws stops the collection. */
  readonly roots: () => Promise<GcRemoteRoots>;
  /** What is condemned stays so long, and what is younger is not condemned. Has to be longer than the times of pushers: `lookout.ts`. */
  readonly graceMs: number;
  /** Records that are younger keep their roots; the grace period at least. */
  readonly recordsMs?: number | undefined;
  /** Foreign roots whose maps are older are given up. */
  readonly foreignMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
  /** The time for a dry run, which does not ask the storage for its own. */
  readonly nowMs: number;
  /** Who collects, for the receipt. */
  readonly by: string;
  readonly times?: HoldTimes | undefined;
  readonly copiedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a collection of a remote did, or would do. */
export interface CollectRemoteReport {
  readonly removed: GcSum;
  /** What is on the list now; it is deleted when nobody needs it in `dueMs`. */
  readonly condemned: GcSum;
  readonly kept: GcSum;
  /** Roots that are kept because this repository never named them. */
  readonly foreignRoots: number;
  /** What was deleted, as it lay there. */
  readonly freed: { readonly objects: number; readonly bytes: number };
  /** Packs that were copied into others because most of them was dead. */
  readonly repacked: { readonly packs: number; readonly bytes: number };
  readonly dueMs: number | undefined;
  /** Large objects that somebody began to send and never finished. */
  readonly unfinished: Unfinished;
}

/**
 * Collects the writer's own area of a remote: deletes what has been condemned for the grace period and is still not needed, and condemns what is not needed by now; see
 * `docs/adr/0012-collecting-a-remote.md`. Throws `ERR_GC_STOPPED`, with nothing deleted, if something in use cannot be read, `ERR_HELD` if somebody else collects, `ERR_USAGE` for a remote
 * that cannot list or delete, and what the storage throws.
 */
export async function collectRemote(options: CollectRemoteOptions): Promise<CollectRemoteReport> {
  const { remote, signal, dryRun = false, graceMs, times = HOLD_TIMES } = options;
  if ((await remote.contact(signal)) === 'empty') return NOTHING;
  const drop = (hold: Hold): Promise<Unfinished> =>
    dropUnfinished(remote, hold, { at: hold.nowMs, by: options.by, graceMs }, { dryRun, signal });
  if (dryRun) {
    const hold = { nowMs: options.nowMs, mayGoOn: () => true };
    return { ...(await collectOnce(options, hold)), unfinished: await drop(hold) };
  }
  return withHold(remote.storage, remote.areas.own, times, signal, async (hold) => {
    const report = await collectHeld(options, hold);
    return { ...report, unfinished: await drop(hold) };
  });
}

async function collectHeld(options: CollectRemoteOptions, hold: Hold): Promise<CollectRemoteReport> {
  const first = await collectOnce(options, hold);
  // Nobody pushes, so what was condemned just now can go.
  if (options.graceMs > 0 || first.dueMs === undefined) return first;
  const second = await collectOnce(options, hold);
  const removed = add(first.removed, second.removed);
  const freed = {
    objects: first.freed.objects + second.freed.objects,
    bytes: first.freed.bytes + second.freed.bytes,
  };
  return { ...second, removed, freed, repacked: first.repacked };
}

const NO_OBJECTS: GcSum = { blobs: 0, trees: 0, bytes: 0 };
const NOTHING: CollectRemoteReport = {
  removed: NO_OBJECTS,
  condemned: NO_OBJECTS,
  kept: NO_OBJECTS,
  foreignRoots: 0,
  freed: { objects: 0, bytes: 0 },
  repacked: { packs: 0, bytes: 0 },
  dueMs: undefined,
  unfinished: { objects: [], problem: undefined },
};

/** All that is known about a remote when the hold is there. */
interface View {
  readonly tools: SurveyTools;
  readonly survey: Survey;
  readonly plan: KeptPlan;
  readonly usage: Usage;
  readonly indexes: ReadonlyMap<StorageKey, PackIndex>;
  readonly youngMs: number;
}

async function collectOnce(options: CollectRemoteOptions, hold: Hold): Promise<CollectRemoteReport> {
  const { remote, graceMs, signal, dryRun = false } = options;
  const { own } = remote.areas;
  const view = await look(options, hold);
  const { survey, plan, usage } = view;
  const counter = new GcCounter(view.indexes);
  const kept = counter.count(needed(view, remote), usage);
  const base = { ...NOTHING, kept, foreignRoots: plan.foreign.size };
  const listAt = survey.objects.get(condemnedKey(own))?.modifiedMs;
  const list = listAt === undefined ? undefined : await readCondemned(remote.storage, own, signal);
  const gone = new Set<StorageKey>();
  let sweep: Sweep = [];
  if (list !== undefined && listAt !== undefined) {
    const dueMs = graceMs === 0 ? 0 : Math.max(0, graceMs - (hold.nowMs - listAt));
    if (dueMs > 0) return { ...base, condemned: counter.count(present(list, survey)), dueMs };
    sweep = planSweep(survey, plan, list, own);
    if (dryRun) for (const { key } of sweep.flat()) gone.add(key);
    else {
      const head = { at: hold.nowMs, by: options.by, graceMs };
      const isDone = await carryOut(remote, sweep, head, { hold, gone, signal });
      // The list stays, and the next collection goes on with it.
      if (!isDone) return { ...base, freed: sumOf(survey, gone), dueMs: 0 };
    }
  }
  const freed = sumOf(survey, gone);
  const { repacked, isMoved } = await tidy(options, view, hold);
  const condemned = unneeded(view, remote, isMoved).filter(({ key }) => !gone.has(key));
  if (!dryRun) await replaceList(remote, condemned, list !== undefined, signal);
  const dueMs = condemned.length === 0 ? undefined : graceMs;
  const total = { condemned: counter.count(condemned), freed, repacked, dueMs };
  // Last: what is somewhere else still is not gone.
  return { ...base, ...total, removed: counter.count(sweep.flat()) };
}

async function look(options: CollectRemoteOptions, { nowMs }: Hold): Promise<View> {
  const { remote, reader, signal, graceMs, recordsMs = 0, foreignMs } = options;
  const tools = { remote, reader, shelf: new MapShelf(remote, signal), signal };
  const { live, known } = await options.roots();
  const survey = await surveyRemote(tools);
  const youngMs = nowMs - graceMs;
  const plan = planKept(survey, {
    own: remote.areas.own,
    live,
    known,
    youngMs,
    recordsMs: nowMs - Math.max(recordsMs, graceMs),
    foreignMs: foreignMs === undefined ? undefined : nowMs - foreignMs,
  });
  const usage = await gatherUsage(tools, survey, plan);
  const indexes = await readIndexes(remote.storage, ownOf(survey, remote, 'packs'), signal);
  return { tools, survey, plan, usage, indexes, youngMs };
}

/** Rewrites kept maps that refer to others which are not kept, or name packs in vain, and copies what is needed out of packs that are mostly dead. */
async function tidy(
  { remote, signal, dryRun = false, copiedBytes = COPIED_BYTES }: CollectRemoteOptions,
  { tools, survey, plan, usage, indexes, youngMs }: View,
  hold: Hold,
): Promise<{ repacked: { packs: number; bytes: number }; isMoved: (pack: StorageKey) => boolean }> {
  const sparse = findSparse(ownOf(survey, remote, 'packs'), indexes, usage, youngMs, copiedBytes);
  const sparseKeys = new Set(sparse.map(({ object }) => object.key));
  const bytes = sparse.reduce((sum, { live }) => sum + live, 0);
  if (dryRun) return { repacked: { packs: sparse.length, bytes }, isMoved: (pack) => sparseKeys.has(pack) };
  const copies = await repack(remote, sparse, usage, signal);
  const moved = sparse.filter(({ object }) => copies.isMoved(object.key));
  const maps = new Set([
    ...plan.inlined.keys(),
    ...usage.idle,
    ...moved.flatMap(({ object }) => usage.namedBy.get(object.key) ?? []),
  ]);
  for (const key of maps) await rewrite(tools, plan, key, copies, hold);
  return { repacked: { packs: moved.length, bytes: copies.bytes }, isMoved: copies.isMoved };
}

/** While the hold is there nobody else replaces a map. */
async function rewrite(
  { remote, shelf, signal }: SurveyTools,
  { inlined }: KeptPlan,
  key: StorageKey,
  copies: Repacked,
  hold: Hold,
): Promise<void> {
  const map = await shelf.load(key);
  if (map === undefined || !hold.mayGoOn()) throw tookTooLong(remote);
  const bytes = await flattened(shelf, map, inlined.get(key) ?? new Set(), copies.moved);
  parseMap(bytes, key, key);
  await remote.storage.put(key, bodyOf(remote.signatures.signMap(bytes, map.area)), { signal });
}

function tookTooLong(remote: Remote): SluiceError {
  return new SluiceError('ERR_GC_STOPPED', `the collection of ${remote.description} took longer than it may`, {
    hint: 'What it has done is sound. Run it again.',
  });
}

/** A list of nothing would make pushers look for nothing. */
async function replaceList(
  remote: Remote,
  condemned: readonly ListedObject[],
  isThere: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (condemned.length > 0) await writeCondemned(remote.storage, remote.areas.own, condemned, signal);
  else if (isThere) await remote.storage.delete?.(condemnedKey(remote.areas.own), { signal });
}

function ownOf({ objects }: Survey, { areas }: Remote, kind: string): ListedObject[] {
  return [...objects.values()].filter(({ key }) => {
    const parts = parseKey(key);
    return parts?.area === areas.own && parts.kind === kind;
  });
}

/** Packs and large blobs that are needed. */
function needed({ survey, usage }: View, remote: Remote): ListedObject[] {
  return [
    ...ownOf(survey, remote, 'packs').filter(({ key }) => usage.packs.has(key) || usage.pinned.has(key)),
    ...ownOf(survey, remote, 'blobs').filter(({ key }) => usage.blobs.has(key)),
  ];
}

/** What nothing needs and is old enough to be condemned, in the order in which it matters most that it is on the list. */
function unneeded(
  { survey, plan, usage, youngMs }: View,
  remote: Remote,
  isMoved: (pack: StorageKey) => boolean,
): ListedObject[] {
  const isOld = ({ modifiedMs }: ListedObject): boolean => modifiedMs <= youngMs;
  const isDead = {
    records: (key: StorageKey) => !plan.records.has(key),
    maps: (key: StorageKey) => !plan.maps.has(key),
    packs: (key: StorageKey) => isMoved(key) || !(usage.packs.has(key) || usage.pinned.has(key)),
    blobs: (key: StorageKey) => !usage.blobs.has(key),
  };
  const kinds = ['records', 'maps', 'packs', 'blobs'] as const;
  return kinds.flatMap((kind) =>
    ownOf(survey, remote, kind).filter((object) => isOld(object) && isDead[kind](object.key)),
  );
}

function present(list: Condemned, { objects }: Survey): ListedObject[] {
  return [...list.keys()].flatMap((key) => objects.get(key) ?? []);
}

function sumOf({ objects }: Survey, keys: ReadonlySet<StorageKey>): { objects: number; bytes: number } {
  let bytes = 0;
  for (const key of keys) bytes += objects.get(key)?.bytes ?? 0;
  return { objects: keys.size, bytes };
}

function add(a: GcSum, b: GcSum): GcSum {
  return { blobs: a.blobs + b.blobs, trees: a.trees + b.trees, bytes: a.bytes + b.bytes };
}
