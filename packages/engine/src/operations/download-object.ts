import fs, { closeSync, openSync } from 'node:fs';
import { SluiceError } from '../errors.js';
import { inParallel } from '../remote/parallel.js';
import type { PlainBucket } from '../remote/storage/s3-plain.js';
import { progress } from '../stage/progress.js';
import { writeWhole } from '../util/whole-io.js';
import type { Download, Validators } from '../workspace/download.js';
import { parseObjectUrl } from '../workspace/object-url.js';
import type { OperationContext } from './context.js';

/** An object is received in parts of this size, several at once. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;

/** Which object, and where to. */
export interface ObjectDownload {
  /** `s3://bucket/key` */
  readonly url: string;
  /** Absolute path of a file that is not there yet. After a failure it may hold a beginning. */
  readonly to: string;
  /** Of the version that is known: if it is still that one, nothing is received. */
  readonly known?: Validators;
}

/**
 * Receives one version of an object. Throws `ERR_URL_UNSAFE`, `ERR_DOWNLOAD` if there is no such object or it is replaced meanwhile, what storages throw, and what writing throws.
 */
export async function downloadObject(
  { emit, signal }: OperationContext,
  bucket: PlainBucket,
  { url, to, known }: ObjectDownload,
): Promise<Download> {
  const { key } = parseObjectUrl(url);
  const head = await bucket.head(key, { signal });
  if (head === undefined) throw failed(url, 'there is no such object');
  const { bytes, etag } = head;
  const lastModified = head.modified?.toUTCString();
  if (isSame(known, { etag, lastModified })) return { kind: 'unchanged' };
  const advance = progress(emit, 'receiving', url)(1, bytes);
  const offsets = Array.from({ length: Math.ceil(bytes / PART_BYTES) }, (_, part) => part * PART_BYTES);
  const fd = openSync(to, 'wx');
  try {
    await inParallel(offsets, PARTS_AT_ONCE, async (offset) => {
      const length = Math.min(PART_BYTES, bytes - offset);
      const part = await bucket.read(key, etag, { offset, length }, { signal });
      if (part?.length !== length) throw failed(url, 'it changed while it was received');
      writeWhole(fs, fd, part, offset);
      advance(0, length);
    });
  } finally {
    closeSync(fd);
  }
  // Not every service minds the tag that a part was asked with.
  if (offsets.length > 1 && (await bucket.head(key, { signal }))?.etag !== etag) {
    throw failed(url, 'it changed while it was received');
  }
  advance(1, 0);
  return { kind: 'received', bytes, etag, lastModified };
}

function isSame(known: Validators | undefined, { etag, lastModified }: Validators): boolean {
  if (known?.etag !== undefined) return known.etag === etag;
  return known?.lastModified !== undefined && known.lastModified === lastModified;
}

function failed(url: string, problem: string): SluiceError {
  return new SluiceError('ERR_DOWNLOAD', `${url} cannot be had: ${problem}`, {
    hint: 'Check the address, then try again. Nothing was changed.',
  });
}
