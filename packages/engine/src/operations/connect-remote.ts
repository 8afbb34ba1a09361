import { setTimeout as sleep } from 'node:timers/promises';
import type { Area } from '../remote/areas.js';
import { quietNote } from '../remote/gc/quiet-note.js';
import { markSeen, wasSeen } from '../remote/have-file.js';
import { FORMAT_KEY } from '../remote/keys.js';
import { openRemote, type Remote } from '../remote/remote.js';
import { actionsCacheStorage } from '../remote/storage/actions-cache/actions-cache.js';
import { brokerAccess } from '../remote/storage/broker/access.js';
import { brokerStorage } from '../remote/storage/broker/broker.js';
import { type CountingStorage, counting } from '../remote/storage/counting.js';
import { fileStorage } from '../remote/storage/file.js';
import { limited } from '../remote/storage/limit.js';
import type { Storage } from '../remote/storage/port.js';
import { readOnly } from '../remote/storage/read-only.js';
import { type RetryOptions, retrying } from '../remote/storage/retry.js';
import { s3Storage } from '../remote/storage/s3.js';
import { unreachable } from '../remote/storage/unreachable.js';
import type { RemoteConfig } from '../workspace/config.js';
import type { Trust } from '../workspace/config-file.js';
import { usableLocation } from '../workspace/remote-url.js';
import { actionsCacheOptionsOf } from './actions-cache-remote.js';
import type { Gathering } from './flush-gathered.js';
import { type S3RemoteOptions, s3OptionsOf } from './s3-remote.js';
import { signaturesOf, tellRefused } from './signatures-of.js';

/** A remote that was opened by its name, with its request counter. */
export interface OpenedRemote {
  readonly name: string;
  readonly remote: Remote;
  readonly requests: CountingStorage['requests'];
}

/** What the remotes of a workspace have in common. */
export interface ConnectOptions extends S3RemoteOptions {
  readonly area: Area;
  /** What is asked of the claims of all remotes: `strict` asks for more than the settings of one. */
  readonly trust: Trust;
  /** Drivers that are open already, where a process keeps them for as long as it lives. */
  readonly drivers?: OpenDriver | undefined;
  /** Storages that gather what is put, kept for all operations of an engine, who flushes them at its end. */
  readonly gathering?: Gathering | undefined;
}

/** Opens the driver of a remote, which tries again, and counts all its tries. */
export type OpenDriver = (settings: RemoteConfig, options: ConnectOptions) => Driver;

/** A driver and its count. */
export interface Driver {
  readonly driver: Storage;
  readonly requests: CountingStorage['requests'];
}

/** Requests in flight at once, where the configuration does not say. */
export const CONCURRENCY = 32;

/** Who hiccups is asked again at once. */
const PATIENCE = {
  firstWaitMs: 100,
  sleep: async (ms: number, signal: AbortSignal | undefined): Promise<void> => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
  random: Math.random,
} satisfies Partial<RetryOptions>;

/** A shared directory that is away is told as down within a second. */
const FILE_RETRY: RetryOptions = { ...PATIENCE, attempts: 3, longestWaitMs: 400 };
/** A job waits rather than doing its work again; what asks for patience is answered within half a minute, or not at all. */
const CACHE_RETRY: RetryOptions = { ...PATIENCE, attempts: 4, longestWaitMs: 2000 };
/** How a bucket is asked again; how often, the environment says. */
export const S3_RETRY: Omit<RetryOptions, 'attempts'> = { ...PATIENCE, longestWaitMs: 5000 };

/** The remote of a configuration with its wrappers. Throws `ERR_CONFIG` for a kind that this version cannot use. */
export function connectRemote(settings: RemoteConfig, options: ConnectOptions): OpenedRemote {
  const { driver, requests } = (options.drivers ?? openDriver)(settings, options);
  const bounded = limited(driver, settings.concurrency ?? CONCURRENCY);
  const storage = settings.readOnly ? readOnly(bounded) : bounded;
  const { description, durable } = driver;
  const signatures = signaturesOf(settings, options);
  const remote = openRemote({
    storage,
    area: options.area,
    // A place that evicts may be empty again at any time.
    seen: durable ? wasSeen(options.store, description) : undefined,
    onUsed: () => markSeen(options.store, description),
    encoding: { compression: settings.compression ?? 'auto', chunking: settings.chunking ?? false },
    quiet: quietNote(options.store, description),
    signatures,
    onRefused: tellRefused(settings.name, signatures, options.emit),
  });
  return { name: settings.name, remote, requests };
}

/** A {@link OpenDriver} for what the configuration names; where there is a broker, it has the keys, and everything goes through it. */
export function openDriver(settings: RemoteConfig, options: ConnectOptions): Driver {
  const concurrency = settings.concurrency ?? CONCURRENCY;
  const location = usableLocation(settings);
  const access = brokerAccess(options.env);
  if (access !== undefined) {
    const durable = location.kind !== 'actions-cache';
    const through = { access, remote: settings.name, description: settings.url, durable, concurrency };
    const counted = counting(brokerStorage(through));
    return { driver: counted, requests: counted.requests };
  }
  if (location.kind === 's3') {
    const driver = s3Storage(s3OptionsOf(settings, location, concurrency, S3_RETRY, options));
    return { driver, requests: driver.requests };
  }
  if (location.kind === 'actions-cache') {
    const driver = actionsCacheOf(settings.name, options);
    return { driver, requests: driver.requests };
  }
  const { dir } = location;
  const missingIsEmpty = !wasSeen(options.store, `file://${dir}`);
  const counted = counting(fileStorage({ dir, missingIsEmpty, marker: FORMAT_KEY }));
  return { driver: retrying(counted, FILE_RETRY), requests: counted.requests };
}

/** What one operation has put and not flushed, and the index that it has read, are there for the next. */
function actionsCacheOf(name: string, options: ConnectOptions): CountingStorage {
  const key = `${name} ${options.area}`;
  const known = options.gathering?.get(key);
  if (known !== undefined) return known;
  const cache = actionsCacheOptionsOf(options.area, CACHE_RETRY, options.env);
  const driver =
    'failure' in cache ? counting(unreachable('actions-cache:', false, cache.failure)) : actionsCacheStorage(cache);
  options.gathering?.set(key, driver);
  return driver;
}
