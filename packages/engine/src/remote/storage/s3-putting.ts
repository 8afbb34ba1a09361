import { parseS3Failure } from './s3-failure.js';
import type { S3Requests } from './s3-requests.js';
import type { Slots } from './slots.js';

/** How objects are kept in a bucket. */
export interface S3Keeping {
  /** Encryption by the service: with its own keys, or with one of KMS. */
  readonly sse?: 'AES256' | 'aws:kms' | undefined;
  /** Id or ARN of the key of KMS; without one, the service's own for S3. */
  readonly kmsKey?: string | undefined;
  /** Of objects from 128 KiB up: smaller ones are read often and cost more elsewhere. */
  readonly storageClass?: string | undefined;
  /** Notes on an object, by names in small letters. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Whether a service refuses to replace what is there (`If-None-Match: *`), and a memory for the answer. */
export interface WriteOnce {
  /** `undefined` as long as nobody has found out. */
  readonly supported: boolean | undefined;
  /** Called when it has been found out. */
  learn(supported: boolean): void;
}

/** What puts to one bucket share. */
export interface Putting {
  readonly requests: S3Requests;
  readonly keeping: S3Keeping;
  readonly writeOnce: WriteOnce;
  /** Memory for bodies that are on their way, in units of {@link PART_BYTES}. */
  readonly memory: Slots;
}

/** A part of a large object, and the unit of memory. S3 allows no smaller one than 5 MiB. */
export const PART_BYTES: number = 8 * 1024 * 1024;
const SMALLEST_IN_CLASS_BYTES = 128 * 1024;

/** What a request says about how the object is kept. */
export function keptAs({ sse, kmsKey, storageClass, metadata }: S3Keeping, bytes: number): object {
  return {
    ...(metadata === undefined ? {} : { Metadata: metadata }),
    ...(sse === undefined ? {} : { ServerSideEncryption: sse }),
    ...(kmsKey === undefined ? {} : { SSEKMSKeyId: kmsKey }),
    ...(storageClass === undefined || bytes < SMALLEST_IN_CLASS_BYTES ? {} : { StorageClass: storageClass }),
  };
}

/** The condition of a put that must not replace anything. */
export function conditionOf(ifAbsent: boolean): { readonly IfNoneMatch?: '*' } {
  return ifAbsent ? { IfNoneMatch: '*' } : {};
}

/** Whether the condition was not met: there is an object. */
export function isRefused(error: unknown): boolean {
  return parseS3Failure(error).status === 412;
}
