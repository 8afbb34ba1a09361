import type { _Object } from '@aws-sdk/client-s3';
import { type ListedObject, type StorageKey, tryParseStorageKey } from './port.js';
import type { ObjectName } from './s3-read.js';
import type { S3Requests } from './s3-requests.js';

/**
 * The objects below a prefix, and the one that has its name, sorted by key. Keys that are not ours are left out. A page is either had whole or not at all,
 * so each is tried again by itself.
 */
export async function* listObjects(
  requests: S3Requests,
  /** Begins all keys of this storage in the bucket; empty or with a slash at its end. */
  base: string,
  named: (key: string) => ObjectName,
  prefix: StorageKey | '',
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  if (prefix !== '') {
    // S3 has no time of an object without its listing, so one that is asked for by its name is looked for in a listing of one.
    yield* page(`${base}${prefix}`, 1, (key) => key === prefix);
    yield* page(`${base}${prefix}/`, undefined, () => true);
  } else yield* page(base, undefined, () => true);

  async function* page(
    start: string,
    most: number | undefined,
    isWanted: (key: StorageKey) => boolean,
  ): AsyncGenerator<ListedObject> {
    for await (const { Key: whole = '', Size: bytes = 0, LastModified: modified } of listAll(
      requests,
      named(''),
      start,
      most,
      signal,
    )) {
      const key = tryParseStorageKey(whole.slice(base.length));
      if (key === undefined || !whole.startsWith(start) || !isWanted(key)) continue;
      yield { key, bytes, modifiedMs: modified?.getTime() ?? 0 };
    }
  }
}

/** What a listing says of an object. */
export type ListedByS3 = Pick<_Object, 'Key' | 'Size' | 'LastModified' | 'ETag'>;

/** Every object whose key begins with `start`, or the first `most` of them. */
export async function* listAll(
  requests: S3Requests,
  { Key: _, ...bucket }: ObjectName,
  start: string,
  most: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedByS3> {
  let token: string | undefined;
  do {
    const answer = await requests.send(signal, {
      counts: 'list',
      ask: { action: 's3:ListBucket' },
      send: async ({ s3, http }) =>
        s3.listObjectsV2(
          {
            ...bucket,
            Prefix: start,
            ...(most === undefined ? {} : { MaxKeys: most }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          },
          http,
        ),
    });
    yield* answer.Contents ?? [];
    token = most === undefined && answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
  } while (token !== undefined);
}
