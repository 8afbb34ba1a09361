import type { CountingStorage } from './counting.js';
import type { RetryOptions } from './retry.js';
import type { S3Access } from './s3-client.js';
import { listObjects } from './s3-list.js';
import { deleteParts } from './s3-parts.js';
import type { PulseLimits } from './s3-pulse.js';
import { putObject } from './s3-put.js';
import type { Putting, S3Keeping, WriteOnce } from './s3-putting.js';
import { type ObjectName, readObject, statObject } from './s3-read.js';
import { S3Requests } from './s3-requests.js';
import { PARTS_IN_MEMORY, socketsFor } from './s3-sockets.js';
import { listUnfinished } from './s3-unfinished.js';
import { slots } from './slots.js';

/** How a bucket is opened as a storage. */
export interface S3StorageOptions {
  readonly bucket: string;
  /** Begins all keys, without a slash at its end; empty for the whole bucket. */
  readonly prefix: string;
  readonly access: S3Access;
  readonly keeping: S3Keeping;
  /** Who reads and writes pays, and not the owner of the bucket. */
  readonly requestPayer?: boolean | undefined;
  /** Calls at once, for which there are sockets. */
  readonly concurrency: number;
  readonly retry: RetryOptions;
  readonly limits: PulseLimits;
  readonly writeOnce: WriteOnce;
}

/**
 * A bucket of S3, or of a service that speaks like it. Nothing is loaded or asked before the first call. Each request is tried again by itself, so this
 * storage needs no `retrying` around it, and it counts its own requests: a put of a large object is several. What is in memory at once is
 * bounded for all puts together.
 */
export function s3Storage(options: S3StorageOptions): CountingStorage {
  const { bucket, prefix, access, concurrency } = options;
  const base = prefix === '' ? '' : `${prefix}/`;
  const description = describeS3(options);
  const requests = new S3Requests(
    { description, bucket },
    access,
    socketsFor(concurrency),
    options.retry,
    options.limits,
  );
  const named = (key: string): ObjectName => ({
    Bucket: bucket,
    Key: `${base}${key}`,
    ...(options.requestPayer === true ? { RequestPayer: 'requester' } : {}),
  });
  const putting: Putting = {
    requests,
    keeping: options.keeping,
    writeOnce: options.writeOnce,
    memory: slots(PARTS_IN_MEMORY),
  };
  return {
    description,
    durable: true,
    requests: requests.counts,
    stat: (key, { signal } = {}) => statObject(requests, named(key), signal),
    get: async (key, range, options = {}) => {
      if (range.length > 0) return (await readObject(requests, named(key), range, options))?.bytes;
      return (await statObject(requests, named(key), options.signal)) === undefined ? undefined : Buffer.alloc(0);
    },
    put: (key, body, putOptions = {}) => putObject(putting, named(key), body, putOptions),
    list: (at, { signal } = {}) => listObjects(requests, base, named, at, signal),
    listUnfinished: (at, beforeMs, { signal } = {}) => listUnfinished(requests, base, named, at, beforeMs, signal),
    delete: (key, { signal } = {}) =>
      requests.send(signal, {
        counts: 'delete',
        ask: { action: 's3:DeleteObject', key: `${base}${key}` },
        send: async ({ s3, http }) => {
          await s3.deleteObject(named(key), http);
        },
      }),
    deleteParts: async (key, id, { signal } = {}) => {
      await deleteParts(putting, named(key), id, signal);
    },
  };
}

/** What a bucket is called in messages and in what is remembered of it: its URL, and where it is if that is not AWS. */
export function describeS3({ bucket, prefix, access }: Pick<S3StorageOptions, 'bucket' | 'prefix' | 'access'>): string {
  const url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
  return access.endpoint === undefined ? url : `${url} at ${access.endpoint}`;
}
