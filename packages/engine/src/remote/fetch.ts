import { type ErrorCode, SluiceError, toErrorWire } from '../errors.js';
import { noFiles } from '../model/path-filter.js';
import { completeness } from '../store/complete.js';
import { PACK_COUNT } from '../store/layout.js';
import { inlineReceiver } from '../store/receiver.js';
import { salvageLeftovers } from '../store/salvage-leftovers.js';
import type { WriteSession } from '../store/session.js';
import { throwProblems } from '../util/problems.js';
import type { ArrivingFile } from './arriving-file.js';
import { openBatch } from './fetch-batch.js';
import { type Arrival, packedRanges } from './fetch-blobs.js';
import { fetchChunked } from './fetch-chunked.js';
import { largeRanges } from './fetch-large.js';
import { type FetchRootsOptions, type FetchWant, findLack, type Lack } from './fetch-plan.js';
import { fetchRanges, type WantedRange } from './fetch-ranges.js';
import { fetchRelatives } from './fetch-relatives.js';
import { notToBeHad, takeFromAny } from './fetch-sources.js';
import { type Attempt, addFetchCounts, type FetchCounts, FetchTally } from './fetch-tally.js';
import { type LostRoot, tellLost } from './lost-roots.js';
import { isUnreachable, type Remote } from './remote.js';
import { type OpenMaps, openMap, type RemoteMap } from './remote-map.js';
import { HaveTeacher } from './teach-have.js';

/** What came, what was here, and what a limit left out. */
export type FetchResult = FetchCounts;

/**
 * Brings roots, or parts of them, from a remote into the store. Each byte is compared with the digest of the tree that names it before it is
 * published. A copy that is missing or damaged in one area is looked for in the others, then on the other remotes; what is nowhere keeps nothing else away, neither files nor roots. Throws
 * `ERR_NOT_LOCAL` if no remote and not the store has a root, nor can give it from its `relatives`, `ERR_OBJECT_MISSING`, `ERR_OBJECT_DAMAGED` or `ERR_MAP_INVALID` if no copy is
 * sound, `ERR_REMOTE_DOWN` and `ERR_REMOTE_DENIED`. What came before a failure stays, and does not come again.
 */
export async function fetchRoots(options: FetchRootsOptions): Promise<FetchResult> {
  const earlier = new FetchTally().total;
  const tried = new Set<FetchWant>();
  for (;;) {
    const { result, lost } = await fetchNamed(options);
    let hasCome = false;
    for (const { want, error } of lost) {
      if (error.code !== 'ERR_NOT_LOCAL' || tried.has(want)) continue;
      tried.add(want);
      const came = await fetchRelatives(options, want, fetchWhole);
      if (came === undefined) continue;
      addFetchCounts(earlier, came);
      hasCome = true;
    }
    if (hasCome) continue;
    tellLost(lost, options.lost);
    for (const what of ['files', 'objects', 'bytes'] as const) {
      // What came for a merged root is here by the second try, and counts once.
      result[what].received += earlier[what].received;
      result[what].reused = Math.max(0, result[what].reused - earlier[what].received);
    }
    return result;
  }
}

/** What is wrong with the data of one root, and says nothing about the others. */
const OF_ONE_ROOT: ReadonlySet<ErrorCode> = new Set([
  'ERR_NOT_LOCAL',
  'ERR_OBJECT_MISSING',
  'ERR_OBJECT_DAMAGED',
  'ERR_TREE_INVALID',
  'ERR_PACK_INVALID',
  'ERR_MAP_INVALID',
  'ERR_SIGNATURE',
]);

/** Fetches roots that remote or store have under their own names. */
async function fetchNamed(
  options: FetchRootsOptions,
): Promise<{ readonly result: FetchResult; readonly lost: readonly (LostRoot & { readonly want: FetchWant })[] }> {
  const { store, wants } = options;
  const tally = new FetchTally();
  const lost = new Map<FetchWant, SluiceError>();
  if (wants.length === 0) return { result: tally.total, lost: [] };
  const teacher = new HaveTeacher(store, options.signal);
  await salvageLeftovers(store);
  store.reader.catalog.refresh();
  await store.write(async (session) => {
    tally.restart();
    lost.clear();
    for (const want of wants) {
      tally.beginWant();
      const take = (remote: Remote): Promise<boolean> =>
        fetchFromAnyArea({ ...options, remote }, want, session, tally, teacher);
      const error = await failureOf(async () => (await takeFromAny(options, take)) || takeLocal(options, want, tally));
      if (error !== undefined) lost.set(want, error);
    }
  });
  store.reader.catalog.refresh();
  return { result: tally.total, lost: [...lost].map(([want, error]) => ({ want, root: want.root, error })) };
}

/** {@link fetchNamed}, throwing what could not be had. */
async function fetchWhole(options: FetchRootsOptions): Promise<FetchResult> {
  const { result, lost } = await fetchNamed(options);
  tellLost(lost, undefined);
  return result;
}

/** What is wrong with one root, or why it cannot be had now; any other failure ends the fetch. */
async function failureOf(take: () => Promise<unknown>): Promise<SluiceError | undefined> {
  try {
    await take();
    return undefined;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const isUnanswered = isUnreachable(error) && error.details?.digest !== undefined;
    if (!OF_ONE_ROOT.has(error.code) && !isUnanswered) throw error;
    return error;
  }
}

/** Tries the areas in order, and the first once more: a repack may have replaced its map meanwhile. Returns whether any has a map. */
async function fetchFromAnyArea(
  options: FetchRootsOptions,
  want: FetchWant,
  session: WriteSession,
  tally: FetchTally,
  teacher: HaveTeacher,
): Promise<boolean> {
  const { remote, signal } = options;
  const appetite = want.filter === undefined && options.treesOnly !== true ? 'all' : 'some';
  let failure: unknown;
  for (const area of [...remote.areas.bytes, ...remote.areas.bytes.slice(0, 1)]) {
    try {
      const map = await openMap(remote, area, want.root.digest, appetite, signal);
      if (map === undefined) continue;
      const attempt = tally.beginAttempt();
      const maps = await fetchWant(options, want, map, session, attempt);
      addFetchCounts(tally.total, attempt.counts);
      // What this session has published can be read from now on.
      if (appetite === 'all' && attempt.counts.left.files === 0) await teacher.teach(remote, want.root, map, maps);
      return true;
    } catch (error) {
      if (isUnreachable(error) || !(error instanceof SluiceError) || error.code === 'ERR_INTERRUPTED') throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

/** Fetches from what one map says; returns the maps that it has led to. Throws the gathered failures when everything that can come has come. */
async function fetchWant(
  options: FetchRootsOptions,
  want: FetchWant,
  map: RemoteMap,
  session: WriteSession,
  attempt: Attempt,
): Promise<OpenMaps> {
  const { store } = options;
  const failures: SluiceError[] = [];
  const lack = await findLack(options, want, map, attempt, {
    rely: (raw) => session.lease.append(raw),
    failed: (error) => failures.push(error),
  });
  const batch = openBatch(session, lack.files + lack.nodes.length >= PACK_COUNT);
  try {
    for (const { raw, bytes, part } of lack.nodes) {
      batch.ingestor().addBytes('tree', bytes, raw, 0, part);
      attempt.cameTree(raw);
    }
    await fetchBlobs(options, lack, attempt, batch, failures);
    batch.publish();
  } catch (error) {
    batch.keepWhatCame();
    throw error;
  } finally {
    store.reader.catalog.refresh();
  }
  throwProblems(failures.map(toErrorWire));
  return lack.maps;
}

async function fetchBlobs(
  { remote, store, receiver = inlineReceiver(store.files), beginProgress, arrived, signal }: FetchRootsOptions,
  lack: Lack,
  attempt: Attempt,
  batch: ReturnType<typeof openBatch>,
  failures: SluiceError[],
): Promise<void> {
  if (lack.files === 0) return;
  const arrival: Arrival = {
    ingestor: batch.ingestor,
    came: (raw, bytes) => {
      batch.count(bytes);
      attempt.cameBlob(raw);
      arrived?.(remote, bytes);
    },
    advance: beginProgress?.(lack.files, lack.bytes) ?? (() => {}),
    failed: (error) => failures.push(error),
  };
  const open = new Set<ArrivingFile>();
  async function* ranges(): AsyncGenerator<WantedRange> {
    for (const source of lack.sources.values()) {
      if (source.whole) yield* largeRanges(store, receiver, remote.storage, source, arrival, open, signal);
      else yield* packedRanges(remote.storage, source, arrival);
    }
  }
  try {
    await fetchRanges(remote.storage, ranges(), signal);
  } finally {
    for (const file of open) await file.release();
  }
  for (const source of lack.chunked) await fetchChunked(store, remote.storage, source, arrival, signal);
}

/** A root that no remote gives is no failure if all of it is here. */
function takeLocal(options: FetchRootsOptions, want: FetchWant, tally: FetchTally): void {
  const { root, filter } = want;
  const { reader } = options.store;
  const wanted = options.treesOnly === true ? noFiles(filter) : filter;
  if (completeness(reader, root, wanted) !== 'complete') throw notToBeHad(options, want);
  const attempt = tally.beginAttempt();
  attempt.takeLocal(reader, root, wanted);
  addFetchCounts(tally.total, attempt.counts);
}
