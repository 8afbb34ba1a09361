import { type StorageKey, tryParseStorageKey, type UnfinishedObject } from './port.js';
import { parseS3Failure } from './s3-failure.js';
import type { ObjectName } from './s3-read.js';
import type { S3Requests } from './s3-requests.js';

/**
 * The multipart uploads below a prefix to which no part has come since `beforeMs`. One that was begun before may still be going on, so the parts of each of these are listed. Keys that
 * are not ours are left out.
 */
export async function* listUnfinished(
  requests: S3Requests,
  /** Begins all keys of this storage in the bucket; empty or with a slash at its end. */
  base: string,
  named: (key: string) => ObjectName,
  prefix: StorageKey,
  beforeMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<UnfinishedObject> {
  const { Key: _, ...bucket } = named('');
  const start = `${base}${prefix}/`;
  let next: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined;
  do {
    const answer = await requests.send(signal, {
      counts: 'list',
      ask: { action: 's3:ListBucketMultipartUploads' },
      send: async ({ s3, http }) => s3.listMultipartUploads({ ...bucket, Prefix: start, ...next }, http),
    });
    for (const { Key: whole = '', UploadId: id, Initiated: initiated } of answer.Uploads ?? []) {
      const key = tryParseStorageKey(whole.slice(base.length));
      if (key === undefined || id === undefined || !whole.startsWith(start)) continue;
      const begunMs = initiated?.getTime() ?? Number.POSITIVE_INFINITY;
      if (begunMs > beforeMs) continue;
      const parts = await measureParts(requests, named(key), id, signal);
      if (parts === undefined) continue;
      const modifiedMs = Math.max(begunMs, parts.lastMs);
      if (modifiedMs <= beforeMs) yield { key, id, bytes: parts.bytes, modifiedMs };
    }
    const { NextKeyMarker = '', NextUploadIdMarker = '', IsTruncated = false } = answer;
    // A server that gives the same page again would never end.
    const goesOn = IsTruncated && NextKeyMarker !== '' && NextUploadIdMarker !== next?.UploadIdMarker;
    next = goesOn ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined;
  } while (next !== undefined);
}

/** Bytes of the parts that are there, and when the last one came; `undefined` if the upload is gone. */
async function measureParts(
  requests: S3Requests,
  name: ObjectName,
  id: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: number; readonly lastMs: number } | undefined> {
  let bytes = 0;
  let lastMs = 0;
  let marker: string | undefined;
  do {
    const after = marker === undefined ? {} : { PartNumberMarker: marker };
    const answer = await requests.send(signal, {
      counts: 'list',
      ask: { action: 's3:ListMultipartUploadParts', key: name.Key },
      send: async ({ s3, http }) => {
        try {
          return await s3.listParts({ ...name, UploadId: id, ...after }, http);
        } catch (error) {
          // It was finished or deleted since it was listed.
          if (parseS3Failure(error).name === 'NoSuchUpload') return undefined;
          throw error;
        }
      },
    });
    if (answer === undefined) return undefined;
    for (const { Size = 0, LastModified } of answer.Parts ?? []) {
      bytes += Size;
      lastMs = Math.max(lastMs, LastModified?.getTime() ?? Number.POSITIVE_INFINITY);
    }
    const goesOn = answer.IsTruncated === true && answer.NextPartNumberMarker !== marker;
    marker = goesOn ? answer.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return { bytes, lastMs };
}
