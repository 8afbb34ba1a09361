import { SluiceError } from '../errors.js';

/** An object in a bucket of S3. */
export interface ObjectUrl {
  readonly bucket: string;
  /** As it is, without escapes. */
  readonly key: string;
}

/** S3 allows no longer ones. */
export const LONGEST_KEY_BYTES = 1024;

/** Whether an address is one of S3, right or wrong. */
export function isS3Url(text: string): boolean {
  return /^s3:/i.test(text);
}

/** Parses `s3://bucket/key`; the key is taken as it is. Throws `ERR_URL_UNSAFE`, which never repeats the text: it may hold a password. */
export function parseObjectUrl(text: string): ObjectUrl {
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.*)$/s.exec(text) ?? [];
  if (bucket === undefined) throw unsafe('it names no bucket and key');
  if (key === '' || key.endsWith('/')) throw unsafe('it names no object, but what several keys begin with');
  if (!key.isWellFormed() || Buffer.byteLength(key) > LONGEST_KEY_BYTES || hasControl(key)) {
    throw unsafe('its key is too long, or holds what no key should');
  }
  // Some services take the key for a path, and would give another object.
  if (key.split('/').some((segment) => segment === '.' || segment === '..'))
    throw unsafe('its key has a segment of dots');
  return { bucket, key };
}

function hasControl(key: string): boolean {
  for (const char of key) if (char < ' ' || char === '\u007f') return true;
  return false;
}

function unsafe(problem: string): SluiceError {
  return new SluiceError('ERR_URL_UNSAFE', `the address is not asked for: ${problem}`, {
    hint: 'Write s3://bucket/key, without credentials: they come from the environment or from a profile.',
  });
}
