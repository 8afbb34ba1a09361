import type { CompletedPart } from '@aws-sdk/client-s3';
import { SluiceError } from '../../errors.js';
import type { Body, PartJournal, PartsLeft, PutOptions } from './port.js';
import { type Chunks, partsOf, sha256Of } from './s3-chunks.js';
import { parseS3Failure } from './s3-failure.js';
import { conditionOf, isRefused, keptAs, PART_BYTES, type Putting } from './s3-putting.js';
import { type ObjectName, statObject } from './s3-read.js';
import { sendChunks } from './s3-send.js';

/** S3 allows no more. */
const MOST_PARTS = 10_000;
/** How long the parts of a failed put may keep a process from ending. */
const ABANDON_MS = 3000;
const ABANDON_TRIES = 5;

/** An object that is being sent in parts. */
interface Upload {
  readonly name: ObjectName;
  readonly id: string;
  readonly partBytes: number;
  /** Parts that an earlier put has sent. */
  readonly left: PartsLeft['parts'];
}

/**
 * Keeps a large object: several parts are on their way at once, as many as memory allows. The object is there when all of them have been put together.
 * If anything fails before, its parts are deleted, except where a journal lets somebody go on with them.
 */
export async function putInParts(
  putting: Putting,
  name: ObjectName,
  body: Body,
  { ifAbsent = false, journal, signal }: PutOptions,
): Promise<'stored' | 'exists'> {
  const left = journal?.left;
  if (left !== undefined && isUsable(left, body.bytes)) {
    try {
      const { id, partBytes, parts } = left;
      return await send(putting, { name, id, partBytes, left: parts }, body, { ifAbsent, journal, signal });
    } catch (error) {
      // They were deleted meanwhile, by a rule of the bucket or by somebody else.
      if (!isLost(error)) throw error;
    }
  }
  // Of objects so large that there would be too many parts, each part takes more than one unit of memory.
  const partBytes = Math.ceil(body.bytes / PART_BYTES / MOST_PARTS) * PART_BYTES;
  const id = await begin(putting, name, body.bytes, signal);
  journal?.began(id, partBytes);
  return send(putting, { name, id, partBytes, left: new Map() }, body, { ifAbsent, journal, signal });
}

async function send(
  putting: Putting,
  upload: Upload,
  body: Body,
  { ifAbsent = false, journal, signal }: PutOptions,
): Promise<'stored' | 'exists'> {
  try {
    const parts = await sendParts(putting, upload, body, journal, signal);
    const answer = await complete(putting, upload, parts, body.bytes, ifAbsent, signal);
    if (answer === 'exists') await abandon(putting, upload);
    journal?.ended();
    return answer;
  } catch (error) {
    if (journal === undefined || !mayGoOn(error)) {
      await abandon(putting, upload);
      journal?.ended();
    }
    throw error;
  }
}

/** Whether parts that an earlier put has left are ones that this one could have sent. */
function isUsable({ partBytes, parts }: PartsLeft, bytes: number): boolean {
  const count = Math.ceil(bytes / partBytes);
  return partBytes % PART_BYTES === 0 && count <= MOST_PARTS && [...parts.keys()].every((number) => number <= count);
}

/** Whether the same put may succeed later. */
function mayGoOn(error: unknown): boolean {
  if (!(error instanceof SluiceError) || isLost(error)) return false;
  return error.code === 'ERR_REMOTE_DOWN' || error.code === 'ERR_REMOTE_DENIED' || error.code === 'ERR_INTERRUPTED';
}

/** Whether parts that should be there are not. */
function isLost(error: unknown): boolean {
  if (!(error instanceof SluiceError)) return false;
  const { name } = parseS3Failure(error.cause);
  return name === 'NoSuchUpload' || name === 'InvalidPart';
}

async function begin(
  { requests, keeping }: Putting,
  name: ObjectName,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const id = await requests.send(signal, {
    counts: 'put',
    ask: { action: 's3:PutObject', key: name.Key },
    send: async ({ s3, http }) =>
      (await s3.createMultipartUpload({ ...name, ...keptAs(keeping, bytes) }, http)).UploadId,
  });
  if (id === undefined) throw new SluiceError('ERR_REMOTE_DENIED', `${requests.place.description} began no upload`);
  return id;
}

/** Reads the next part only when there is memory for it. After a failure nothing more is read, and what is on its way is stopped. */
async function sendParts(
  putting: Putting,
  upload: Upload,
  body: Body,
  journal: PartJournal | undefined,
  signal: AbortSignal | undefined,
): Promise<CompletedPart[]> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const units = upload.partBytes / PART_BYTES;
  const source = partsOf(body, upload.partBytes, signal);
  const sending: Promise<CompletedPart>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort();
  };
  while (failure === undefined) {
    const giveBack = await putting.memory.take(units);
    try {
      const next = failure === undefined ? await source.next() : undefined;
      if (next === undefined || next.done === true) {
        giveBack();
        break;
      }
      const sent = sendPart(putting, upload, sending.length + 1, next.value, journal, both).finally(giveBack);
      sent.catch(fail);
      sending.push(sent);
    } catch (error) {
      giveBack();
      fail(error);
    }
  }
  const ended = await Promise.allSettled(sending);
  await source.return();
  if (failure !== undefined) throw failure.error;
  return ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
}

async function sendPart(
  { requests }: Putting,
  { name, id, left }: Upload,
  number: number,
  chunks: Chunks,
  journal: PartJournal | undefined,
  signal: AbortSignal,
): Promise<CompletedPart> {
  const sha256 = sha256Of(chunks);
  const there = left.get(number);
  if (there?.sha256 === sha256) {
    chunks.release();
    return { PartNumber: number, ETag: there.tag };
  }
  const params = { ...name, UploadId: id, PartNumber: number };
  const etag = await requests.send(signal, {
    counts: 'put',
    ask: { action: 's3:PutObject', key: name.Key },
    bytes: chunks.bytes,
    send: async (sending) =>
      (await sendChunks(sending, chunks, sha256, (body, http) => sending.s3.uploadPart({ ...params, ...body }, http)))
        .ETag,
  });
  chunks.release();
  if (etag === undefined) return { PartNumber: number };
  journal?.kept({ number, tag: etag, sha256 });
  return { PartNumber: number, ETag: etag };
}

async function complete(
  { requests }: Putting,
  { name, id }: Upload,
  parts: CompletedPart[],
  bytes: number,
  ifAbsent: boolean,
  signal: AbortSignal | undefined,
): Promise<'stored' | 'exists'> {
  let tries = 0;
  const answer = await requests.send(signal, {
    counts: 'put',
    ask: { action: 's3:PutObject', key: name.Key },
    send: async ({ s3, http }) => {
      tries++;
      try {
        const params = { ...name, ...conditionOf(ifAbsent), UploadId: id, MultipartUpload: { Parts: parts } };
        await s3.completeMultipartUpload(params, http);
        return 'stored';
      } catch (error) {
        if (ifAbsent && isRefused(error)) return 'exists';
        // An earlier try may have succeeded, and only its answer was lost.
        if (tries > 1 && parseS3Failure(error).name === 'NoSuchUpload') return 'gone';
        throw error;
      }
    },
  });
  if (answer !== 'gone') return answer;
  if ((await statObject(requests, name, signal))?.bytes === bytes) return 'stored';
  throw new SluiceError('ERR_REMOTE_DOWN', `${requests.place.description} lost the parts of ${name.Key}`, {
    hint: 'Push again.',
  });
}

/** Deletes the parts of an upload that nobody goes on with. */
export async function deleteParts(
  { requests }: Pick<Putting, 'requests'>,
  name: ObjectName,
  id: string,
  signal: AbortSignal | undefined,
): Promise<'deleted' | 'gone'> {
  return requests.send(signal, {
    counts: 'delete',
    ask: { action: 's3:AbortMultipartUpload', key: name.Key },
    send: async ({ s3, http }) => {
      try {
        await s3.abortMultipartUpload({ ...name, UploadId: id }, http);
        return 'deleted';
      } catch (error) {
        if (parseS3Failure(error).name === 'NoSuchUpload') return 'gone';
        throw error;
      }
    },
  });
}

/**
 * Deletes the parts, also after an interruption. A part that is just arriving brings its upload back, so this is repeated until there is none. What cannot be
 * deleted is left to the lifecycle rule of the bucket.
 */
async function abandon({ requests }: Putting, { name, id }: Upload): Promise<void> {
  const signal = AbortSignal.timeout(ABANDON_MS);
  try {
    for (let i = 0; i < ABANDON_TRIES; i++) {
      if ((await deleteParts({ requests }, name, id, signal)) === 'gone') return;
      await requests.pause(100 * 2 ** i, signal);
    }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
  }
}
