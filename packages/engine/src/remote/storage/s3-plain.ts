import { SluiceError } from '../../errors.js';
import type { Body, ByteRange, PartJournal } from './port.js';
import { describeS3, type S3StorageOptions } from './s3.js';
import { parseS3Failure } from './s3-failure.js';
import { type ListedByS3, listAll } from './s3-list.js';
import { putObject } from './s3-put.js';
import { headObject, type ObjectHead, type ObjectName, readObject } from './s3-read.js';
import { S3Requests } from './s3-requests.js';
import { PARTS_IN_MEMORY, socketsFor } from './s3-sockets.js';
import { slots } from './slots.js';

/** Options of every call. An aborted call throws `ERR_INTERRUPTED`. */
interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * A bucket whose objects are what their owners see, under any keys: for what is brought in and taken out. What a remote keeps goes through the storage port instead.
 */
export interface PlainBucket {
  /** Its URL, for messages; never holds a secret. */
  readonly description: string;
  /** What is known of an object; `undefined` if there is none. */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** A part of the version with this tag, where there is one; `undefined` if the object is not there, or is another version by now. */
  read(key: string, etag: string | undefined, range: ByteRange, options?: CallOptions): Promise<Buffer | undefined>;
  /** Keeps an object, whole or not at all, with notes on it; replaces what is there. */
  put(
    key: string,
    body: Body,
    metadata: Readonly<Record<string, string>>,
    options?: CallOptions & { readonly journal?: PartJournal | undefined },
  ): Promise<void>;
  /** Every object whose key begins so, sorted by key. */
  list(start: string, options?: CallOptions): AsyncIterable<ListedByS3>;
}

/** Opens a bucket for plain objects. Nothing is loaded or asked before the first call. Calls throw what those of a storage throw. */
export function openPlainBucket(options: Omit<S3StorageOptions, 'prefix' | 'writeOnce'>): PlainBucket {
  const { bucket, access, keeping, concurrency, retry, limits } = options;
  const description = describeS3({ bucket, prefix: '', access });
  const requests = new S3Requests({ description, bucket }, access, socketsFor(concurrency), retry, limits);
  const named = (key: string): ObjectName => ({
    Bucket: bucket,
    Key: key,
    ...(options.requestPayer === true ? { RequestPayer: 'requester' } : {}),
  });
  const memory = slots(PARTS_IN_MEMORY);
  const writeOnce = { supported: false, learn: () => {} };
  return {
    description,
    head: (key, { signal } = {}) => headObject(requests, named(key), signal),
    read: async (key, etag, range, { signal } = {}) => {
      const name = etag === undefined ? named(key) : { ...named(key), IfMatch: etag };
      try {
        return (await readObject(requests, name, range, { signal }))?.bytes;
      } catch (error) {
        if (error instanceof SluiceError && parseS3Failure(error.cause).status === 412) return undefined;
        throw error;
      }
    },
    put: async (key, body, metadata, putOptions = {}) => {
      await putObject({ requests, keeping: { ...keeping, metadata }, writeOnce, memory }, named(key), body, putOptions);
    },
    list: (start, { signal } = {}) => listAll(requests, named(''), start, undefined, signal),
  };
}
