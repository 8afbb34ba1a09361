import { SluiceError } from '../errors.js';
import type { Area } from '../remote/areas.js';
import type { ActionsCacheLimits, ActionsCacheOptions } from '../remote/storage/actions-cache/actions-cache.js';
import { type CacheAccess, cacheAccess } from '../remote/storage/actions-cache/cache-access.js';
import { CacheHttp } from '../remote/storage/actions-cache/cache-http.js';
import { CACHE_VERSION } from '../remote/storage/actions-cache/cache-keys.js';
import { cacheServiceV1 } from '../remote/storage/actions-cache/cache-v1.js';
import { cacheServiceV2 } from '../remote/storage/actions-cache/cache-v2.js';
import { fetchFor } from '../remote/storage/proxy/fetch.js';
import type { DownDetails, RetryOptions } from '../remote/storage/retry.js';
import type { Environment } from '../workspace/config.js';

export type { CacheAccess };

/** What the cache of a job takes to be used, in the words of its environment. */
interface ActionsRuntime {
  readonly protocol: 'v1' | 'v2';
  readonly base: string;
  readonly token: string;
  readonly access: CacheAccess;
}

const MIB = 1024 * 1024;

/** Blocks take 40 MiB of memory, one that is filled and four on their way, and as much again while they are sent. */
const LIMITS: ActionsCacheLimits = {
  smallBytes: 32 * 1024,
  inlineBytes: 2 * MIB,
  mostRows: 20_000,
  blockBytes: 8 * MIB,
  blocksInFlight: 4,
  entryBytes: 256 * MIB,
  idleMs: 60_000,
  mostBytes: 8 * 1024 * MIB,
  uploadsPerMinute: 20,
  flushGapMs: 15_000,
  longestFlushGapMs: 600_000,
};

const ANSWER_MS = 15_000;
const STALL_MS = 15_000;

/**
 * The options of the cache of this job, or why there is none: outside of GitHub Actions, and in a `run:` step, which gets no runtime token. A run goes on without it then, as without any
 * remote that does not answer. Throws `ERR_CONFIG` for an address that is none.
 */
export function actionsCacheOptionsOf(
  area: Area,
  retry: RetryOptions,
  env: Environment,
): ActionsCacheOptions | { readonly failure: SluiceError } {
  const runtime = runtimeOf(env);
  if (runtime === undefined) return { failure: noCache(env) };
  const { protocol, base, token, access } = runtime;
  const [scope = ''] = access.scopes;
  const description = scope === '' ? 'actions-cache:' : `actions-cache: of ${scope}`;
  const http = new CacheHttp({
    place: description,
    retry,
    limits: { answerMs: ANSWER_MS, stallMs: STALL_MS },
    fetch: fetchFor(env),
  });
  const service = (protocol === 'v2' ? cacheServiceV2 : cacheServiceV1)({ http, base, token, version: CACHE_VERSION });
  return {
    description,
    service,
    requests: http.counts,
    access,
    // Only the more trusted scopes say what is trusted; a pull request has no word in it, not even to itself.
    isOwn: (key) => !key.includes('/') || key.startsWith(`${area}/`),
    limits: LIMITS,
    wait: retry,
  };
}

/**
 * What a job may do with the Actions cache, read from its environment alone. `undefined` where there is no cache. A front end tells it before the work begins.
 */
export function actionsCacheAccess(env: Environment): CacheAccess | undefined {
  return env.ACTIONS_RUNTIME_TOKEN
    ? cacheAccess(env.ACTIONS_RUNTIME_TOKEN, env.ACTIONS_CACHE_MODE || undefined)
    : undefined;
}

/** The address of the Actions cache; `undefined` where there is none. */
export function actionsCacheAddress(env: Environment): string | undefined {
  return runtimeOf(env)?.base;
}

function runtimeOf(env: Environment): ActionsRuntime | undefined {
  const token = env.ACTIONS_RUNTIME_TOKEN || undefined;
  const protocol = env.ACTIONS_CACHE_SERVICE_V2 && !isEnterpriseServer(env) ? 'v2' : 'v1';
  const base = protocol === 'v2' ? env.ACTIONS_RESULTS_URL : env.ACTIONS_CACHE_URL || env.ACTIONS_RESULTS_URL;
  const access = actionsCacheAccess(env);
  if (token === undefined || access === undefined || !base) return undefined;
  if (URL.canParse(base) && /^https?:/.test(base)) return { protocol, base, token, access };
  throw new SluiceError('ERR_CONFIG', 'the address of the Actions cache is no URL', {
    hint: 'The runner sets ACTIONS_RESULTS_URL or ACTIONS_CACHE_URL; nothing else should.',
  });
}

function noCache(env: Environment): SluiceError {
  const isInActions = env.GITHUB_ACTIONS === 'true';
  const why = isInActions ? 'a `run:` step gets no token for it' : 'this is no job of GitHub Actions';
  return new SluiceError('ERR_REMOTE_DOWN', `the Actions cache cannot be reached from here: ${why}`, {
    hint: isInActions
      ? 'Run Sluice by its action (`uses:`), which gets the token and keeps it from the stages.'
      : 'Choose another remote here, for example with SLUICE_REMOTE or in sluice.local.json.',
    details: { silent: true } satisfies DownDetails,
  });
}

/** Servers of enterprises speak version 1 only, whatever is set. */
function isEnterpriseServer(env: Environment): boolean {
  const url = env.GITHUB_SERVER_URL || 'https://github.com';
  const host = URL.canParse(url) ? new URL(url).hostname.toLowerCase() : '';
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost');
}
