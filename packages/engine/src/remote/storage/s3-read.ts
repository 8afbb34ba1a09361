import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { SluiceError } from '../../errors.js';
import type { ByteRange, GetOptions, StorageStat } from './port.js';
import { brokenS3, missingPermission, type S3Ask } from './s3-errors.js';
import { parseS3Failure } from './s3-failure.js';
import type { S3Requests } from './s3-requests.js';

/** What is in every request for an object. */
export interface ObjectName {
  readonly Bucket: string;
  readonly Key: string;
  readonly RequestPayer?: 'requester';
}

/** What is known of an object without its bytes. */
export interface ObjectHead extends StorageStat {
  /** What the service calls this version of it. */
  readonly etag: string | undefined;
  readonly modified: Date | undefined;
  /** What whoever put it has noted, by names in small letters. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The size of an object; `undefined` if there is none. */
export async function statObject(
  requests: S3Requests,
  name: ObjectName,
  signal: AbortSignal | undefined,
): Promise<StorageStat | undefined> {
  const head = await headObject(requests, name, signal);
  return head === undefined ? undefined : { bytes: head.bytes };
}

/** What is known of an object; `undefined` if there is none. */
export async function headObject(
  requests: S3Requests,
  name: ObjectName,
  signal: AbortSignal | undefined,
): Promise<ObjectHead | undefined> {
  const head = await requests.send(signal, {
    counts: 'head',
    ask: askFor(name),
    send: async ({ s3, http }): Promise<ObjectHead | 'ask' | undefined> => {
      try {
        const answer = await s3.headObject(name, http);
        requests.bucketExists = true;
        const { ContentLength: bytes = 0, ETag: etag, LastModified: modified, Metadata: metadata = {} } = answer;
        return { bytes, etag, modified, metadata };
      } catch (error) {
        const { status } = parseS3Failure(error);
        if (status === 404 && requests.bucketExists) return undefined;
        // An answer to HEAD has no words. One to GET tells a missing bucket from a missing object, and a missing object from a hidden one.
        if (status === 404 || status === 403) return 'ask';
        throw error;
      }
    },
  });
  if (head !== 'ask') return head;
  const read = await readObject(requests, name, { offset: 0, length: 1 }, { signal });
  return read === undefined ? undefined : { bytes: read.total, etag: undefined, modified: undefined, metadata: {} };
}

/** Bytes of an object and its whole size; `undefined` if there is none. `length` is at least 1. With `IfMatch`, only of the version of this tag. */
export async function readObject(
  requests: S3Requests,
  name: ObjectName & { readonly IfMatch?: string },
  range: ByteRange,
  { signal, allocate = Buffer.allocUnsafeSlow }: GetOptions = {},
): Promise<{ readonly bytes: Buffer; readonly total: number } | undefined> {
  const { offset, length } = range;
  return requests.send(signal, {
    counts: 'get',
    ask: askFor(name),
    bytes: length,
    send: async ({ s3, http, moved }) => {
      let answer: GetObjectCommandOutput;
      try {
        answer = await s3.getObject({ ...name, Range: `bytes=${offset}-${offset + length - 1}` }, http);
      } catch (error) {
        const failure = parseS3Failure(error);
        if (failure.name === 'NoSuchKey') {
          requests.bucketExists = true;
          return undefined;
        }
        // Behind the end. An empty object has nothing but an end.
        if (failure.status === 416) return { bytes: Buffer.alloc(0), total: totalBehind(failure.headers) };
        // AWS says so of an object that is missing where listing is not allowed; what is there and hidden needs another permission.
        if (failure.status === 403 && missingPermission(failure) === 's3:ListBucket') return undefined;
        throw error;
      }
      moved();
      requests.bucketExists = true;
      const part = partOf(answer);
      if (part === undefined || part.offset > offset) throw brokenS3(requests.place, 'it sent another part than asked');
      const wanted = Math.max(0, Math.min(length, part.total - offset));
      const bytes = await collect(answer, offset - part.offset, allocate(wanted), moved);
      if (bytes.length !== wanted) {
        throw brokenS3(requests.place, `it sent ${bytes.length} of ${wanted} bytes of ${name.Key}`);
      }
      return { bytes, total: part.total };
    },
  });
}

function askFor(name: ObjectName): S3Ask {
  return { action: 's3:GetObject', key: name.Key };
}

/** Which part of an object an answer holds. A server that knows no ranges sends all of it. */
function partOf(answer: GetObjectCommandOutput): { readonly offset: number; readonly total: number } | undefined {
  if (answer.ContentRange === undefined) {
    return answer.ContentLength === undefined ? undefined : { offset: 0, total: answer.ContentLength };
  }
  const [, offset, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(answer.ContentRange) ?? [];
  return offset === undefined || total === undefined ? undefined : { offset: Number(offset), total: Number(total) };
}

/** The bytes behind the first `skipped`, in `bytes`; fewer if the body ends before it is full. Nothing more is read than that. */
async function collect(
  answer: GetObjectCommandOutput,
  skipped: number,
  bytes: Buffer,
  moved: () => void,
): Promise<Buffer> {
  const { Body: body } = answer;
  if (!isByteStream(body)) throw new SluiceError('ERR_INTERNAL', 'the SDK gave no stream');
  const wanted = bytes.length;
  let before = 0;
  let fill = 0;
  for await (const chunk of body) {
    moved();
    const from = Math.min(chunk.length, Math.max(0, skipped - before));
    const taken = chunk.subarray(from, from + wanted - fill);
    bytes.set(taken, fill);
    fill += taken.length;
    before += chunk.length;
    // Leaving the loop early closes the connection; a body that is at its end keeps it.
    if (fill === wanted && before > skipped + wanted) break;
  }
  return bytes.subarray(0, fill);
}

function isByteStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function totalBehind(headers: Readonly<Record<string, string>>): number {
  return Number(/^bytes \*\/(\d{1,15})$/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
}
