import { setTimeout as sleep } from 'node:timers/promises';
import { type CacheServer, startCacheServer } from '../../../../scripts/actions-cache/server.mjs';
import { type ActionsCacheOptions, actionsCacheStorage } from '../remote/storage/actions-cache/actions-cache.js';
import { cacheAccess } from '../remote/storage/actions-cache/cache-access.js';
import { CacheHttp } from '../remote/storage/actions-cache/cache-http.js';
import { CACHE_VERSION } from '../remote/storage/actions-cache/cache-keys.js';
import { cacheServiceV1 } from '../remote/storage/actions-cache/cache-v1.js';
import { cacheServiceV2 } from '../remote/storage/actions-cache/cache-v2.js';
import type { Fetch } from '../remote/storage/proxy/fetch-port.js';
import { BRIEF } from './brief.js';

/** Rights of a job, as its token has them. */
export type Rights = Parameters<CacheServer['token']>[0];

/** What the tests change of a storage. */
export interface CacheChanges {
  readonly rights?: Rights;
  readonly limits?: Partial<ActionsCacheOptions['limits']>;
  readonly isOwn?: ActionsCacheOptions['isOwn'];
  readonly mode?: string;
  readonly answerMs?: number;
  readonly fetch?: Fetch;
  /** Times as fast as in life; 100 if it is not given. */
  readonly speed?: number;
}

/** The storage of one job on a server; small sizes, so that little data shows what much does. */
export function cacheStorage(server: CacheServer, changes: CacheChanges = {}): ReturnType<typeof actionsCacheStorage> {
  const token = server.token(changes.rights);
  const place = 'actions-cache:';
  const { answerMs = 5000 } = changes;
  const http = new CacheHttp({
    place,
    retry: BRIEF,
    limits: { answerMs, stallMs: answerMs },
    fetch: changes.fetch ?? fetch,
  });
  const isV1 = server.env().ACTIONS_CACHE_SERVICE_V2 === undefined;
  const serviceOf = isV1 ? cacheServiceV1 : cacheServiceV2;
  return actionsCacheStorage({
    description: place,
    service: serviceOf({ http, base: `${server.url}/`, token, version: CACHE_VERSION }),
    requests: http.counts,
    access: cacheAccess(token, changes.mode),
    isOwn: changes.isOwn ?? (() => true),
    limits: {
      smallBytes: 4096,
      inlineBytes: 64 * 1024,
      mostRows: 1000,
      blockBytes: 256 * 1024,
      blocksInFlight: 3,
      entryBytes: 4 * 1024 * 1024,
      idleMs: 60_000,
      mostBytes: 1024 * 1024 * 1024,
      uploadsPerMinute: 200,
      flushGapMs: 1000,
      longestFlushGapMs: 4000,
      ...changes.limits,
    },
    wait: { sleep: async (ms) => void (await sleep(ms / (changes.speed ?? 100))), random: Math.random },
  });
}

/** A server, new for each test; one that still has faults to give fails its test. */
export function useCacheServer(options: Parameters<typeof startCacheServer>[0] = {}): () => CacheServer {
  let server: CacheServer | undefined;
  beforeEach(async () => {
    server = await startCacheServer(options);
  });
  afterEach(async () => {
    await server?.stop();
    server?.assertAllHit();
  });
  return () => {
    if (server === undefined) throw new Error('the server runs only while a test does');
    return server;
  };
}
