import { SluiceError, toErrorWire } from '../errors.js';
import { noFiles } from '../model/path-filter.js';
import { completeness } from '../store/complete.js';
import { PACK_COUNT } from '../store/layout.js';
import type { WriteSession } from '../store/session.js';
import { throwProblems } from '../util/problems.js';
import { openBatch } from './fetch-batch.js';
import { type BlobSource, fetchPacked, fetchWhole } from './fetch-blobs.js';
import { fetchChunked } from './fetch-chunked.js';
import { type FetchRootsOptions, type FetchWant, findLack, type Lack } from './fetch-plan.js';
import { fetchRelatives } from './fetch-relatives.js';
import { type Attempt, addFetchCounts, type FetchCounts, FetchTally } from './fetch-tally.js';
import { markSeen } from './have-file.js';
import { isUnreachable } from './remote.js';
import { openMap, type RemoteMap } from './remote-map.js';

/** What came, what was here, and what a limit left out. */
export type FetchResult = FetchCounts;

/**
 * Brings roots, or parts of them, from a remote into the store. Each byte is compared with the digest of the tree that names it before it is
 * published. A copy that is missing or damaged in one area is looked for in the others; what is nowhere keeps nothing else away. Throws
 * `ERR_NOT_LOCAL` if neither remote nor store has a root, nor can give it from its `relatives`, `ERR_OBJECT_MISSING`, `ERR_OBJECT_DAMAGED` or `ERR_MAP_INVALID` if no copy is
 * sound, `ERR_REMOTE_DOWN` and `ERR_REMOTE_DENIED`. What came before a failure stays, and does not come again.
 */
export async function fetchRoots(options: FetchRootsOptions): Promise<FetchResult> {
  const earlier = new FetchTally().total;
  for (let tries = options.wants.length; ; tries--) {
    try {
      const result = await fetchNamed(options);
      for (const what of ['files', 'objects', 'bytes'] as const) {
        // What came for a merged root is here by the second try, and counts once.
        result[what].received += earlier[what].received;
        result[what].reused = Math.max(0, result[what].reused - earlier[what].received);
      }
      return result;
    } catch (error) {
      const isNowhere = error instanceof SluiceError && error.code === 'ERR_NOT_LOCAL' && tries > 0;
      const want = isNowhere ? options.wants.find(({ root }) => root.digest === error.details?.digest) : undefined;
      const came = want === undefined ? undefined : await fetchRelatives(options, want, fetchNamed);
      if (came === undefined) throw error;
      addFetchCounts(earlier, came);
    }
  }
}

/** Fetches roots that remote or store have under their own names. */
async function fetchNamed(options: FetchRootsOptions): Promise<FetchResult> {
  const { remote, store, wants } = options;
  if (wants.length === 0) return new FetchTally().total;
  const state = await remote.contact(options.signal);
  if (state === 'used') markSeen(store, remote.description);
  store.reader.catalog.refresh();
  const tally = new FetchTally();
  await store.write(async (session) => {
    tally.restart();
    for (const want of wants) {
      if (state === 'empty') takeLocal(options, want, tally);
      else await fetchFromAnyArea(options, want, session, tally);
    }
  });
  store.reader.catalog.refresh();
  return tally.total;
}

/** Tries the areas in order, and the first once more: a repack may have replaced its map meanwhile. */
async function fetchFromAnyArea(
  options: FetchRootsOptions,
  want: FetchWant,
  session: WriteSession,
  tally: FetchTally,
): Promise<void> {
  const { remote, signal } = options;
  const appetite = want.filter === undefined && options.treesOnly !== true ? 'all' : 'some';
  let failure: unknown;
  tally.beginWant();
  for (const area of [...remote.areas.bytes, ...remote.areas.bytes.slice(0, 1)]) {
    try {
      const map = await openMap(remote, area, want.root.digest, appetite, signal);
      if (map === undefined) continue;
      const attempt = tally.beginAttempt();
      await fetchWant(options, want, map, session, attempt);
      addFetchCounts(tally.total, attempt.counts);
      return;
    } catch (error) {
      if (isUnreachable(error) || !(error instanceof SluiceError) || error.code === 'ERR_INTERRUPTED') throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  takeLocal(options, want, tally);
}

/** Fetches from what one map says. Throws the gathered failures when everything that can come has come. */
async function fetchWant(
  options: FetchRootsOptions,
  want: FetchWant,
  map: RemoteMap,
  session: WriteSession,
  attempt: Attempt,
): Promise<void> {
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
}

async function fetchBlobs(
  { remote, beginProgress, signal }: FetchRootsOptions,
  lack: Lack,
  attempt: Attempt,
  batch: ReturnType<typeof openBatch>,
  failures: SluiceError[],
): Promise<void> {
  const advance = lack.files === 0 ? undefined : beginProgress?.(lack.files, lack.bytes);
  const arrival = {
    ingestor: batch.ingestor,
    came: (raw: Buffer, bytes: number) => {
      batch.count(bytes);
      attempt.cameBlob(raw);
      advance?.(1, bytes);
    },
    failed: (error: SluiceError) => failures.push(error),
  };
  const take = (source: BlobSource): Promise<void> =>
    (source.whole ? fetchWhole : fetchPacked)(remote.storage, source, arrival, signal);
  for (const source of lack.sources.values()) await take(source);
  for (const source of lack.chunked) await fetchChunked(remote.storage, source, arrival, signal);
}

/** A root that the remote does not have is no failure if all of it is here. */
function takeLocal(
  { remote, store, treesOnly }: FetchRootsOptions,
  { root, filter }: FetchWant,
  tally: FetchTally,
): void {
  const wanted = treesOnly === true ? noFiles(filter) : filter;
  if (completeness(store.reader, root, wanted) !== 'complete') {
    throw new SluiceError('ERR_NOT_LOCAL', `${root.digest} is neither here nor on ${remote.description}`, {
      hint: 'Push it from a workspace that has it, or run its stage again.',
      details: { digest: root.digest },
    });
  }
  tally.beginWant();
  const attempt = tally.beginAttempt();
  attempt.takeLocal(store.reader, root, wanted);
  addFetchCounts(tally.total, attempt.counts);
}
