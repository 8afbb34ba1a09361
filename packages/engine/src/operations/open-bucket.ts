import { SluiceError } from '../errors.js';
import { openPlainBucket, type PlainBucket } from '../remote/storage/s3-plain.js';
import { type BucketSettings, readBucketSettings } from '../workspace/bucket-settings.js';
import { CONCURRENCY, S3_RETRY } from './connect-remote.js';
import type { OperationContext } from './context.js';
import { bucketOptionsOf } from './s3-remote.js';

/** Calls at once. */
export const BUCKET_CALLS: number = CONCURRENCY;

/** Opens a bucket that is no remote, as remotes are opened: settings, then what every tool for AWS reads. Throws `ERR_USAGE` for settings that cannot be, and `ERR_REMOTE_DOWN` when offline. */
export function openBucket({ config, env }: OperationContext, bucket: string, settings: BucketSettings): PlainBucket {
  if (config.offline) {
    throw new SluiceError('ERR_REMOTE_DOWN', `s3://${bucket} is not asked: Sluice is offline`, {
      hint: 'Remove --offline or SLUICE_OFFLINE.',
    });
  }
  return openPlainBucket(bucketOptionsOf(checkBucketSettings(settings), bucket, BUCKET_CALLS, S3_RETRY, env));
}

/** The settings that somebody gave, and nothing else of what was given. Throws `ERR_USAGE`. */
export function checkBucketSettings(settings: BucketSettings): BucketSettings {
  return readBucketSettings(new Map(Object.entries(settings)), '', (place, problem) => {
    throw new SluiceError('ERR_USAGE', `the setting ${place} of the bucket ${problem}`, {
      hint: 'The settings are those of an S3 remote: docs/remotes.md.',
    });
  });
}
