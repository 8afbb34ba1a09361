import { SluiceError } from '../../errors.js';
import type { Body, PutOptions } from './port.js';
import { type Chunks, sha256Of, wholeOf } from './s3-chunks.js';
import { parseS3Failure } from './s3-failure.js';
import { putInParts } from './s3-parts.js';
import { conditionOf, isRefused, keptAs, PART_BYTES, type Putting } from './s3-putting.js';
import { type ObjectName, statObject } from './s3-read.js';
import { sendChunks } from './s3-send.js';

/** Up to here an object is read into memory and sent with one request. */
const SINGLE_BYTES = 3 * PART_BYTES;
/** An object that is sent twice, to see whether the second time is refused, is not larger. */
const LARGEST_PROBE_BYTES = 64 * 1024;

/**
 * Keeps an object, as {@link Storage.put} says. What is in memory already, and what is small, goes in one request; the rest in parts.
 * Nothing is sent before a body of one request has been read to its end.
 */
export async function putObject(
  putting: Putting,
  name: ObjectName,
  body: Body,
  options: PutOptions,
): Promise<'stored' | 'exists'> {
  const unconditional = { ...options, ifAbsent: false };
  if (options.ifAbsent !== true) return putEither(putting, name, body, unconditional);
  const { signal } = options;
  const { requests, writeOnce } = putting;
  const before = writeOnce.supported;
  if (before !== true && (await statObject(requests, name, signal)) !== undefined) return 'exists';
  if (before === false) return putEither(putting, name, body, unconditional);
  try {
    const answer = await putEither(putting, name, body, options);
    if (writeOnce.supported === undefined) await findOut(putting, name, body, answer, options);
    return answer;
  } catch (error) {
    if (!isNotImplemented(error)) throw error;
    writeOnce.learn(false);
    return putEither(putting, name, body, unconditional);
  }
}

async function putEither(
  putting: Putting,
  name: ObjectName,
  body: Body,
  options: PutOptions,
): Promise<'stored' | 'exists'> {
  const { ifAbsent = false, signal } = options;
  const isInMemory = Array.isArray(body.chunks());
  if (isInMemory) return putWhole(putting, name, await wholeOf(body, signal), ifAbsent, signal);
  if (body.bytes > SINGLE_BYTES) return putInParts(putting, name, body, options);
  return putting.memory.hold(Math.ceil(body.bytes / PART_BYTES), signal, async () =>
    putWhole(putting, name, await wholeOf(body, signal), ifAbsent, signal),
  );
}

async function putWhole(
  { requests, keeping }: Putting,
  name: ObjectName,
  chunks: Chunks,
  ifAbsent: boolean,
  signal: AbortSignal | undefined,
): Promise<'stored' | 'exists'> {
  const sha256 = sha256Of(chunks);
  const params = { ...name, ...keptAs(keeping, chunks.bytes), ...conditionOf(ifAbsent) };
  const answer = await requests.send(signal, {
    counts: 'put',
    ask: { action: 's3:PutObject', key: name.Key },
    bytes: chunks.bytes,
    send: async (sending) => {
      try {
        await sendChunks(sending, chunks, sha256, (body, http) => sending.s3.putObject({ ...params, ...body }, http));
        return 'stored';
      } catch (error) {
        if (ifAbsent && isRefused(error)) return 'exists';
        throw error;
      }
    },
  });
  if (answer === 'stored') chunks.release();
  return answer;
}

/** Services that do not know the condition say so, or ignore it: then the same bytes, sent once more, are taken again. */
async function findOut(
  putting: Putting,
  name: ObjectName,
  body: Body,
  answer: 'stored' | 'exists',
  options: PutOptions,
): Promise<void> {
  if (answer === 'exists') putting.writeOnce.learn(true);
  else if (body.bytes <= LARGEST_PROBE_BYTES) {
    putting.writeOnce.learn((await putEither(putting, name, body, options)) === 'exists');
  }
}

function isNotImplemented(error: unknown): boolean {
  if (!(error instanceof SluiceError)) return false;
  const { status, name } = parseS3Failure(error.cause);
  return status === 501 || name === 'NotImplemented';
}
