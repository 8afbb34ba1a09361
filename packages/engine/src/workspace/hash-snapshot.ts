import { randomBytes } from 'node:crypto';
import type { ErrorWire } from '../errors.js';
import { copyRaw, RAW_DIGEST_BYTES } from '../model/digest.js';
import { TREE } from '../model/tree.js';
import type { Unpublished } from '../store/ingest.js';
import { LOOSE_BYTES, PACK_COUNT } from '../store/layout.js';
import type { WriteSession } from '../store/session.js';
import { throwProblems } from '../util/problems.js';
import type { Advance, BeginProgress } from '../util/progress.js';
import { BATCH_BYTES, BATCH_FILES, type Bulk, deal, type Job } from './bulk.js';
import type { HashBatch, HashResult } from './hash-batch.js';
import { entryPath, KNOWN, type SeenDirectory, type Snapshot } from './snapshot.js';
import type { ThreadRequest } from './thread.js';

type HashRequest = Extract<ThreadRequest, { readonly do: 'hash' | 'ingest' }>;

/** A file that has to be read: an entry of a directory of a snapshot. */
export interface Pending {
  readonly directory: SeenDirectory;
  readonly entry: number;
}

/** What reading and storing needs. */
export interface HashContext {
  readonly bulk: Bulk;
  readonly signal?: AbortSignal | undefined;
  readonly beginProgress?: BeginProgress | undefined;
}

/** The entries whose digest is not known, but for directories. */
export function pendingOf(snapshot: Snapshot): Pending[] {
  const pending: Pending[] = [];
  for (const directory of snapshot.directories) {
    for (let entry = 0; entry < directory.kinds.length; entry++) {
      if (directory.kinds[entry] !== TREE && directory.flags[entry] !== KNOWN) pending.push({ directory, entry });
    }
  }
  return pending;
}

/**
 * Reads the pending files below `root` (absolute) and fills in their digests and their stats. Throws the problems of all files as
 * one error, with the code of the first.
 */
export async function hashPending(
  root: string,
  shape: Snapshot['shape'],
  pending: readonly Pending[],
  confineLinks: boolean,
  context: HashContext,
): Promise<void> {
  const problems: ErrorWire[] = [];
  const advance = beginOf(pending, context);
  const batches = batchesOf(root, shape, pending, confineLinks);
  const jobs = batchJobs(
    batches,
    (batch) => ({ do: 'hash', batch }),
    (part, answer) => void problems.push(...fill(part, answer, advance)),
  );
  await deal(context.bulk.lanes(pending.length, bytesOf(pending)), jobs, context.signal);
  throwProblems(problems);
}

/** What {@link ingestPending} gives: objects to publish, and for each pending file whether its blob was new. */
export interface Ingested {
  readonly unpublished: readonly Unpublished[];
  readonly fresh: Uint8Array;
}

/** Like {@link hashPending}, but the bytes go into the store in the same pass. The caller publishes. */
export async function ingestPending(
  root: string,
  shape: Snapshot['shape'],
  pending: readonly Pending[],
  session: WriteSession,
  storeDir: string,
  context: HashContext,
): Promise<Ingested> {
  const fresh = new Uint8Array(pending.length);
  if (pending.length === 0) return { unpublished: [], fresh };
  const settings = session.settings(pending.filter(isSmall).length >= PACK_COUNT);
  const lanes = context.bulk.lanes(pending.length, bytesOf(pending));
  const advance = beginOf(pending, context);
  const problems: ErrorWire[] = [];
  const id = randomBytes(8).toString('hex');
  try {
    await Promise.all(lanes.map((lane) => lane.ask({ do: 'begin-ingest', id, storeDir, settings })));
    const jobs = batchJobs(
      batchesOf(root, shape, pending, true),
      (batch) => ({ do: 'ingest', id, batch }),
      (part, answer, from) => {
        problems.push(...fill(part, answer, advance));
        fresh.set(answer.fresh, from);
      },
    );
    await deal(lanes, jobs, context.signal);
    throwProblems(problems);
    return { unpublished: await Promise.all(lanes.map((lane) => lane.ask({ do: 'finish-ingest', id }))), fresh };
  } catch (error) {
    // One that has died has nothing to abandon.
    await Promise.allSettled(lanes.map((lane) => lane.ask({ do: 'abandon-ingest', id })));
    throw error;
  }
}

function beginOf(pending: readonly Pending[], { beginProgress }: HashContext): Advance | undefined {
  return pending.length === 0 ? undefined : beginProgress?.(pending.length, bytesOf(pending));
}

function isSmall({ directory, entry }: Pending): boolean {
  return (directory.sizes[entry] ?? 0) < LOOSE_BYTES;
}

function bytesOf(pending: readonly Pending[]): number {
  return pending.reduce((sum, { directory, entry }) => sum + (directory.sizes[entry] ?? 0), 0);
}

/** A batch with the files that it is about, the first of which is number `from`. */
interface NumberedBatch {
  readonly part: readonly Pending[];
  readonly from: number;
  readonly batch: HashBatch;
}

function* batchJobs(
  batches: Iterable<NumberedBatch>,
  ask: (batch: HashBatch) => HashRequest,
  take: (part: readonly Pending[], answer: HashResult, from: number) => void,
): Generator<Job<HashRequest>> {
  for (const { part, from, batch } of batches) {
    yield { request: ask(batch), take: (answer) => take(part, answer, from) };
  }
}

function* batchesOf(
  root: string,
  shape: Snapshot['shape'],
  pending: readonly Pending[],
  confineLinks: boolean,
): Generator<NumberedBatch> {
  for (let from = 0; from < pending.length; ) {
    let to = from;
    for (let bytes = 0; to < pending.length && to - from < BATCH_FILES && bytes < BATCH_BYTES; to++) {
      const file = pending[to];
      bytes += file?.directory.sizes[file.entry] ?? 0;
    }
    const part = pending.slice(from, to);
    yield { part, from, batch: toBatch(root, shape, part, confineLinks) };
    from = to;
  }
}

function toBatch(root: string, shape: Snapshot['shape'], part: readonly Pending[], confineLinks: boolean): HashBatch {
  const stats = new Float64Array(part.length * 4);
  const kinds = new Uint8Array(part.length);
  part.forEach(({ directory, entry }, i) => {
    kinds[i] = directory.kinds[entry] ?? 0;
    stats[i * 4] = directory.sizes[entry] ?? 0;
    stats[i * 4 + 1] = directory.mtimes[entry] ?? 0;
    stats[i * 4 + 2] = directory.ctimes[entry] ?? 0;
    stats[i * 4 + 3] = directory.inodes[entry] ?? 0;
  });
  const isFile = shape === 'file';
  const paths = isFile ? root : part.map(({ directory, entry }) => entryPath(directory, entry)).join('\0');
  return { base: isFile ? '' : `${root}/`, paths, kinds, stats, confineLinks };
}

/** Puts an answer into the columns. */
function fill(part: readonly Pending[], answer: HashResult, advance: Advance | undefined): readonly ErrorWire[] {
  let bytes = 0;
  // What a worker sends arrives as a plain Uint8Array.
  const digests = Buffer.from(answer.digests.buffer, answer.digests.byteOffset, answer.digests.byteLength);
  part.forEach(({ directory, entry }, i) => {
    copyRaw(digests, i * RAW_DIGEST_BYTES, directory.digests, entry * RAW_DIGEST_BYTES);
    directory.sizes[entry] = answer.stats[i * 4] ?? 0;
    directory.mtimes[entry] = answer.stats[i * 4 + 1] ?? 0;
    directory.ctimes[entry] = answer.stats[i * 4 + 2] ?? 0;
    directory.inodes[entry] = answer.stats[i * 4 + 3] ?? 0;
    directory.flags[entry] = KNOWN;
    bytes += directory.sizes[entry] ?? 0;
  });
  advance?.(part.length, bytes);
  return answer.problems;
}
