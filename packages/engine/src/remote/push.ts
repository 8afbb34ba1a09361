import { SluiceError } from '../errors.js';
import { type Digest, rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { type Encoder, inlineEncoder } from '../store/encoder.js';
import { ObjectReader } from '../store/reader.js';
import type { Store } from '../store/store.js';
import { gatherProblems, throwProblems } from '../util/problems.js';
import type { BeginProgress } from '../util/progress.js';
import { Auditor } from './audit.js';
import { ChunkedBlobs } from './chunked-blobs.js';
import { confirm } from './confirm.js';
import { findComplete } from './find-complete.js';
import type { Moment } from './gc/lookout.js';
import { appendHave, markSeen, readHave, rewriteHave } from './have-file.js';
import { HaveIndex, mapRecord } from './have-index.js';
import { mapKey } from './keys.js';
import { lacksLittle } from './lacks-little.js';
import { learnFromKnown, learnFromPrevious } from './learn.js';
import { type LostRoot, tellLost } from './lost-roots.js';
import { inParallel } from './parallel.js';
import { type Draft, PushWalk } from './push-walk.js';
import type { Remote } from './remote.js';
import { bodyOf, type StorageKey } from './storage/port.js';
import { noPushCounts, ObjectTally, type PushCounts } from './tally.js';
import { Uploader } from './upload.js';
import { dropStaleUploads } from './upload-journal.js';
import { type IsSound, soundMaps } from './will-stay.js';

/** A root to be on the remote, and versions of the same out that may be there already, latest first. */
export interface PushRoot {
  readonly root: OutRoot;
  readonly previous?: readonly OutRoot[] | undefined;
}

/** Roots that may be on the remote. `merged`: sides of a merge, which hold all that its result holds, so that it is always worth to ask for them. */
export interface KnownRoots {
  readonly merged: readonly OutRoot[];
  readonly others: readonly OutRoot[];
}

/** How to push. */
export interface PushRootsOptions {
  readonly remote: Remote;
  readonly store: Store;
  readonly roots: readonly PushRoot[];
  /** Finds other roots that may be on the remote: what they share with those that it lacks need not be sent, nor be here. */
  readonly known?: readonly OutRoot[] | ((lacking: ReadonlySet<Digest>) => Promise<KnownRoots>) | undefined;
  /** Sends nothing and writes nothing; tells what would be sent. */
  readonly dryRun?: boolean | undefined;
  /** Does not believe the maps that are there: looks at all that they name, and at each pack after it was sent. */
  readonly verify?: boolean | undefined;
  /** Has looked at the roots already and knows what is lost or damaged: nothing relies on that, and it is sent again. Implies `verify`. */
  readonly auditor?: Auditor | undefined;
  /** Is told of each root of which the store lacks something, instead of an error in the end; what was counted of it so far stays counted. */
  readonly lost?: ((one: LostRoot) => void) | undefined;
  /** Who compresses; this thread if nobody else. */
  readonly encoder?: Encoder | undefined;
  readonly beginProgress?: BeginProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Files, distinct objects and bytes of distinct blobs that were sent, or were on the remote already. */
export type PushResult = PushCounts;

/** How often maps are drafted anew because something that they rely on is gone. */
const ATTEMPTS = 4;
/** After so many, only what was found to be there is relied on. */
const TRUSTING_ATTEMPTS = 2;
/** After this many bytes of roots their maps are written, so that an interrupted push has not been for nothing. */
const FLUSH_BYTES = 256 * 1024 * 1024;
const MOST_REQUESTS = 16;

/**
 * Sends what roots reach and the remote lacks, in the order packs and large blobs, map. A map is written only when all that it names was
 * confirmed. Throws `ERR_OBJECT_MISSING` or `ERR_OBJECT_DAMAGED`, with paths, for objects that the store cannot give, with no map written for their root
 * and all other roots sent; and what the remote throws.
 */
export async function pushRoots(options: PushRootsOptions): Promise<PushResult> {
  const { remote, store, roots, signal, dryRun = false } = options;
  const result = noPushCounts();
  if (roots.length === 0) return result;
  const state = dryRun ? await remote.contact(signal) : await remote.prepare(signal).then(() => 'used' as const);
  if (state === 'used') markSeen(store, remote.description);
  store.reader.catalog.refresh();
  const have = new HaveIndex();
  for (const record of readHave(store, remote.haveName)) have.add(record, remote.areas.proof);
  const distinct = [...new Map(roots.map((wanted) => [wanted.root.digest, wanted])).values()];
  const jobs = await findJobs(options, distinct, have, result);
  if (jobs.length > 0) await pushJobs(options, jobs, have, result);
  if (!dryRun) await dropStaleUploads(store, remote.storage, signal);
  return result;
}

/** The roots that are to be sent; those that the remote has are counted. */
async function findJobs(
  options: PushRootsOptions,
  roots: readonly PushRoot[],
  have: HaveIndex,
  result: PushResult,
): Promise<Job[]> {
  const { remote, store, signal } = options;
  const isSound = soundness(options);
  const looks = await inParallel(roots, MOST_REQUESTS, async (wanted): Promise<Job[]> => {
    const isLittle = !doubts(options) && lacksLittle(wanted.root, have, store.reader);
    if (isLittle) return [{ ...wanted, replace: false, asked: false }];
    const found = await findComplete(remote, wanted.root, isSound, signal);
    if (found.kind !== 'complete') return [{ ...wanted, replace: found.kind === 'unsound', asked: true }];
    result.files.reused += wanted.root.files;
    result.objects.reused += found.header.blobs + found.header.trees;
    result.bytes.reused += found.header.blobBytes;
    return [];
  });
  return looks.flat();
}

/** Whether a map that is there proves nothing by itself. */
function doubts({ remote, verify = false, auditor }: PushRootsOptions): boolean {
  return verify || auditor !== undefined || !remote.storage.durable || remote.signatures.needed.maps;
}

/** Which maps are believed: none that a collection is about to delete, and with `verify`, where things are evicted, or where maps have to be signed, none that was not looked at. */
function soundness(options: PushRootsOptions): IsSound {
  const { remote, store, signal } = options;
  const auditor =
    options.auditor ?? (doubts(options) ? new Auditor({ remote, reader: store.reader, signal }) : undefined);
  return soundMaps(remote, auditor, signal);
}

/** A root that is not complete. `replace`: there is a map of it, but one that does not keep its promise. */
interface Job extends PushRoot {
  readonly replace: boolean;
  /** Whether the remote was asked for its map. */
  readonly asked: boolean;
}

async function pushJobs(
  options: PushRootsOptions,
  jobs: readonly Job[],
  have: HaveIndex,
  result: PushResult,
): Promise<void> {
  const { remote, store, signal, dryRun = false } = options;
  const trees = new ObjectReader(store.files, store.layout, store.reader.catalog);
  const blobs = new ObjectReader(store.files, store.layout, store.reader.catalog);
  const { encoder = inlineEncoder(store) } = options;
  const bad = options.auditor?.bad ?? new Set<StorageKey>();
  const uploader = new Uploader(store, blobs, remote, encoder, bad, signal);
  const chunked = new ChunkedBlobs({ store, remote: remote.haveName, reader: blobs, encoder, have, signal });
  const base = { have, uploader, chunked, reader: trees, signal };
  try {
    const unknown = jobs.filter(({ asked }) => asked);
    const lessons = await learnFromPrevious({ remote, have, reader: trees, signal }, unknown);
    const estimate = (): Promise<number> => estimateBytes(base, unknown);
    const { merged, others } = await knownRoots(options, unknown);
    const sides = unknown.flatMap(({ root }) => merged.map((side) => ({ root, previous: [side] })));
    lessons.push(...(await learnFromPrevious({ remote, have, reader: trees, signal }, sides)));
    lessons.push(...(await learnFromKnown({ remote, have, reader: trees, signal }, jobs, others, estimate)));
    if (!dryRun) appendHave(store, remote.haveName, lessons);
    if (have.forgetKeys((key) => bad.has(key)) && !dryRun) rewriteHave(store, remote.haveName, have.records());
    const walk = new PushWalk({ ...base, tally: new ObjectTally(result), dryRun });
    await sendAll(options, jobs, { ...base, walk }, result);
  } finally {
    await uploader.abandon();
    trees.close();
    blobs.close();
  }
}

/** Other roots that may teach something about those that the remote was asked for in vain. */
async function knownRoots({ known = [] }: PushRootsOptions, jobs: readonly Job[]): Promise<KnownRoots> {
  if (jobs.length === 0) return { merged: [], others: [] };
  return typeof known === 'function'
    ? known(new Set(jobs.map(({ root }) => root.digest)))
    : { merged: [], others: known };
}

type Base = {
  readonly have: HaveIndex;
  readonly uploader: Uploader;
  readonly chunked: ChunkedBlobs;
  readonly reader: ObjectReader;
  readonly signal: AbortSignal | undefined;
};

/** Bytes that would be sent by what is known now. */
async function estimateBytes(base: Base, jobs: readonly Job[]): Promise<number> {
  const counts = noPushCounts();
  const walk = new PushWalk({ ...base, tally: new ObjectTally(counts), dryRun: true });
  for (const { root } of jobs) await walk.draft(root, undefined);
  // What is missing here may be there: then any lesson is worth its price.
  return walk.problems.length > 0 ? Number.POSITIVE_INFINITY : counts.bytes.sent;
}

async function sendAll(
  options: PushRootsOptions,
  jobs: readonly Job[],
  tools: Base & { readonly walk: PushWalk },
  result: PushResult,
): Promise<void> {
  const open: { job: Job; draft: Draft }[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    bytes = 0;
    for (const draft of await complete(options, open.splice(0), tools)) {
      result.files.sent += draft.files.sent;
      result.files.reused += draft.files.reused;
    }
  };
  // One total for all of them: they share packs, and so arrive together.
  const advance = options.beginProgress?.(sum(jobs, 'files'), sum(jobs, 'bytes'));
  const lost: LostRoot[] = [];
  for (const job of jobs) {
    const draft = await tools.walk.draft(job.root, advance, job.previous);
    const problem = gatherProblems(tools.walk.problems.splice(0));
    // What one root lacks keeps nothing from the others.
    if (problem !== undefined) {
      lost.push({ root: job.root, error: problem });
      continue;
    }
    open.push({ job, draft });
    bytes += job.root.bytes;
    if (bytes >= FLUSH_BYTES) await flush();
  }
  await flush();
  tellLost(lost, options.lost);
}

function sum(jobs: readonly Job[], what: 'files' | 'bytes'): number {
  return jobs.reduce((total, { root }) => total + root[what], 0);
}

/** Waits until everything that was sent is durable, makes sure of the rest, and writes the maps. What turns out to be gone is sent after all. */
async function complete(
  options: PushRootsOptions,
  open: readonly { readonly job: Job; readonly draft: Draft }[],
  { walk, have, uploader }: { walk: PushWalk; have: HaveIndex; uploader: Uploader },
): Promise<Draft[]> {
  const { remote, store, signal, dryRun = false } = options;
  const confirmed = new Set<unknown>();
  let drafts = open;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await uploader.finish();
    throwProblems(walk.late);
    const namings = drafts.map(({ draft }) => draft);
    const bad = options.auditor?.bad ?? new Set<StorageKey>();
    const since = remote.lookout.oldestLook();
    const isThere =
      !(await uploader.forgetCondemned()) && (await confirm({ remote, have, bad, signal }, namings, confirmed));
    if (isThere && (dryRun || (await writeMaps(options, drafts, uploader, have, since)))) {
      return drafts.map(({ draft }) => draft);
    }
    // What took too long to write its map is confirmed anew.
    if (isThere) confirmed.clear();
    else if (attempt >= TRUSTING_ATTEMPTS) have.forgetAllBut(confirmed);
    if (!dryRun) rewriteHave(store, remote.haveName, have.records());
    const again: { job: Job; draft: Draft }[] = [];
    for (const { job } of drafts) again.push({ job, draft: await walk.draft(job.root, undefined, job.previous) });
    throwProblems(walk.problems);
    drafts = again;
  }
  throw new SluiceError('ERR_REMOTE_DOWN', `${remote.description} keeps losing what it was given`, {
    hint: 'Look whether somebody deletes files there by hand.',
  });
}

/** `since`: when it was last seen that what the maps rely on stays. Returns whether there was time to write all of them. */
async function writeMaps(
  options: PushRootsOptions,
  drafts: readonly { readonly job: Job; readonly draft: Draft }[],
  uploader: Uploader,
  have: HaveIndex,
  since: Moment,
): Promise<boolean> {
  const { remote, store, signal, verify = false } = options;
  const { own } = remote.areas;
  const { lookout, storage } = remote;
  const isSound = soundness(options);
  let inTime = true;
  if (verify) await expectPacks(remote, uploader, signal);
  await inParallel(drafts, MOST_REQUESTS, async ({ job: { root, replace, asked }, draft: { builder, objects } }) => {
    const body = bodyOf(remote.signatures.signMap(builder.finish(root, objects), own));
    const key = mapKey(own, root.digest);
    const answer: { stored?: 'stored' | 'exists' } = {};
    const put = (ifAbsent: boolean) => async (): Promise<boolean> => {
      if (!lookout.mayRelySince(since)) {
        inTime = false;
        return false;
      }
      answer.stored = await storage.put(key, body, { ifAbsent, signal });
      return true;
    };
    if (replace || (await lookout.isCondemned(own, key, signal))) await lookout.renew(own, key, put(false), signal);
    else await put(true)();
    // Nobody has looked yet whether the map that is there is a sound one.
    if (
      answer.stored === 'exists' &&
      !asked &&
      (await findComplete(remote, root, isSound, signal)).kind !== 'complete'
    ) {
      await lookout.renew(own, key, put(false), signal);
    }
    if (answer.stored === undefined || root.kind !== 'tree') return;
    // Another pusher's map of this root may refer to others where ours does not; only what is known to hold nodes itself is noted.
    const notes = answer.stored === 'stored' ? builder.notedNodes() : Buffer.alloc(0);
    const record = mapRecord(own, rawOf(root.digest), notes);
    appendHave(store, remote.haveName, [record]);
    have.add(record, remote.areas.proof);
  });
  return inTime;
}

/** A remote that says that it keeps something and does not is found out before a map relies on it. */
async function expectPacks(remote: Remote, { packs }: Uploader, signal: AbortSignal | undefined): Promise<void> {
  await inParallel(packs, MOST_REQUESTS, async ({ key, bytes }) => {
    const stat = await remote.storage.stat(key, { signal });
    if (stat?.bytes === bytes) return;
    throw new SluiceError('ERR_REMOTE_DOWN', `${remote.description} did not keep ${key}, although it said so`, {
      hint: 'Nothing relies on it yet. Check the remote and push again.',
    });
  });
}
