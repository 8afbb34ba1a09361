import type { Emit } from '../events.js';
import { readProxies } from '../remote/storage/proxy/proxies.js';
import type { RetryOptions } from '../remote/storage/retry.js';
import { describeS3, type S3StorageOptions } from '../remote/storage/s3.js';
import type { S3Access } from '../remote/storage/s3-client.js';
import type { PulseLimits } from '../remote/storage/s3-pulse.js';
import type { WriteOnce } from '../remote/storage/s3-putting.js';
import { noteWriteOnce, readWriteOnce } from '../remote/write-once-file.js';
import type { Store } from '../store/store.js';
import type { BucketSettings } from '../workspace/bucket-settings.js';
import type { Environment, RemoteConfig } from '../workspace/config.js';
import type { UsableLocation } from '../workspace/remote-url.js';

/** Calls in all, where AWS_MAX_ATTEMPTS does not say. Without an answer, all of them together take less than two seconds. */
const ATTEMPTS = 5;
const MOST_ATTEMPTS = 20;

/** A dead server is told within three seconds: the quiet, the answer that does not come, and a tick of the clock. */
const LIMITS: PulseLimits = { quietMs: 1200, pingMs: 1200, stallMs: 30_000 };

/** What a workspace knows about its bucket. */
export interface S3RemoteOptions {
  readonly store: Store;
  readonly env: Environment;
  readonly emit: Emit;
}

/** The options of a remote in a bucket: its settings, then the environment that every tool for AWS reads. */
export function s3OptionsOf(
  settings: RemoteConfig,
  { bucket, prefix }: Extract<UsableLocation, { readonly kind: 's3' }>,
  concurrency: number,
  retry: Omit<RetryOptions, 'attempts'>,
  { store, env, emit }: S3RemoteOptions,
): S3StorageOptions {
  const options = bucketOptionsOf(settings, bucket, concurrency, retry, env);
  const { access } = options;
  const description = describeS3({ bucket, prefix, access });
  return {
    ...options,
    prefix,
    writeOnce: access.endpoint === undefined ? SUPPORTED : remembered(store, settings.name, description, emit),
  };
}

/** The options of a bucket, be it a remote or not. */
export function bucketOptionsOf(
  settings: BucketSettings,
  bucket: string,
  concurrency: number,
  retry: Omit<RetryOptions, 'attempts'>,
  env: Environment,
): Omit<S3StorageOptions, 'prefix' | 'writeOnce'> {
  return {
    bucket,
    access: accessOf(settings, env),
    keeping: { sse: settings.sse, kmsKey: settings.kmsKey, storageClass: settings.storageClass },
    requestPayer: settings.requestPayer,
    concurrency,
    retry: { ...retry, attempts: attemptsFrom(env.AWS_MAX_ATTEMPTS) },
    limits: LIMITS,
  };
}

/** How a bucket is reached. */
export function accessOf(settings: BucketSettings, env: Environment): S3Access {
  const endpoint = settings.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined);
  const region = settings.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  return {
    // Services of one region do not care; AWS does, and its region may stand in the profile.
    region: region ?? (endpoint === undefined ? undefined : 'us-east-1'),
    endpoint,
    forcePathStyle: settings.forcePathStyle,
    profile: settings.profile,
    anonymous: settings.anonymous,
    proxies: readProxies(env),
  };
}

function attemptsFrom(text: string | undefined): number {
  const attempts = Number(text);
  return Number.isInteger(attempts) && attempts >= 1 ? Math.min(attempts, MOST_ATTEMPTS) : ATTEMPTS;
}

/** AWS keeps what is there when it is told so. */
const SUPPORTED: WriteOnce = { supported: true, learn: () => {} };

function remembered(store: Store, name: string, description: string, emit: Emit): WriteOnce {
  let supported = readWriteOnce(store, description);
  return {
    get supported() {
      return supported;
    },
    learn: (found) => {
      supported = found;
      noteWriteOnce(store, description, found);
      if (found) return;
      emit({
        type: 'warning',
        message: `remote ${name} does not know If-None-Match: before a record or map is written, Sluice looks whether there is one`,
        hint: 'Two writers at the very same moment can both believe that they were first; nothing else changes.',
      });
    },
  };
}
