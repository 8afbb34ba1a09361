import { type CacheAnswer, down, explainAnswer, wordsOf } from './cache-errors.js';
import type { CacheHttp, CacheRequest } from './cache-http.js';
import { fieldOf, jsonOf, propertyOf } from './cache-json.js';
import { readSigned } from './cache-read.js';
import type { CacheService, EntryUpload, FoundEntry } from './cache-service.js';
import { foundEntry } from './found-entry.js';

/** How the service is reached. */
export interface CacheV1Options {
  readonly http: CacheHttp;
  /** `ACTIONS_CACHE_URL`. */
  readonly base: string;
  readonly token: string;
  /** Entries of another version are not seen. */
  readonly version: string;
}

const MOST_ANSWER_BYTES = 64 * 1024;

/**
 * Version 1 of the service, as GitHub Enterprise Server and `act` have it: REST, uploads in pieces. Some servers of this kind let a second writer have a key that is
 * taken, so this one never counts as an arbiter.
 */
export function cacheServiceV1(options: CacheV1Options): CacheService {
  const { http, version } = options;
  const find = (
    key: string,
    how: 'exact' | 'newest',
    signal: AbortSignal | undefined,
  ): Promise<FoundEntry | undefined> =>
    http.call(signal, async () => {
      const query = `cache?keys=${encodeURIComponent(key)}&version=${version}`;
      const answer = await ask(options, { method: 'GET', counts: 'head' }, query, signal);
      if (answer.status === 204 || answer.status === 404) return undefined;
      const value = contentOf(http, answer, 'look up an entry');
      const found = { key: fieldOf(value, 'cacheKey'), url: fieldOf(value, 'archiveLocation') };
      return foundEntry(http, { key, how }, found);
    });
  return {
    arbitrates: false,
    find,
    read: (url, range, signal) => readSigned(http, url, range, signal),
    create: (key, signal) =>
      http.call(signal, async () => {
        const answer = await ask(options, { method: 'POST', counts: 'put', json: { key, version } }, 'caches', signal);
        if (answer.status === 409) return 'exists';
        if (answer.status === 400 && /already exist/i.test(wordsOf(answer.body))) return 'exists';
        const id = propertyOf(contentOf(http, answer, 'reserve an entry'), 'cacheId');
        if (!Number.isSafeInteger(id)) throw down(http.place, 'reserved an entry and does not say which');
        return uploadTo(
          options,
          `caches/${String(id)}`,
          async (signalOfCheck) => (await find(key, 'exact', signalOfCheck)) !== undefined,
        );
      }),
  };
}

function ask(
  { http, base, token }: CacheV1Options,
  {
    json,
    bytes,
    headers = {},
    ...request
  }: Pick<CacheRequest, 'method' | 'counts'> & {
    readonly json?: object;
    readonly bytes?: Buffer;
    readonly headers?: Record<string, string>;
  },
  resource: string,
  signal: AbortSignal | undefined,
): Promise<CacheAnswer> {
  const body = json === undefined ? bytes : Buffer.from(JSON.stringify(json));
  return http.send(
    {
      ...request,
      url: `${base}${base.endsWith('/') ? '' : '/'}_apis/artifactcache/${resource}`,
      headers: {
        accept: 'application/json;api-version=6.0-preview.1',
        authorization: `Bearer ${token}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      mostBytes: MOST_ANSWER_BYTES,
      ...(body === undefined ? {} : { body }),
    },
    signal,
  );
}

function contentOf(http: CacheHttp, answer: CacheAnswer, what: string): unknown {
  if (answer.status < 200 || answer.status > 299) throw explainAnswer(answer, what, http.place);
  return jsonOf(answer.body);
}

function uploadTo(
  options: CacheV1Options,
  resource: string,
  isThere: (signal: AbortSignal | undefined) => Promise<boolean>,
): EntryUpload {
  const { http } = options;
  const block = (offset: number, bytes: Buffer, signal: AbortSignal | undefined): Promise<void> =>
    http.call(signal, async () => {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-range': `bytes ${offset}-${offset + bytes.length - 1}/*`,
      };
      const answer = await ask(options, { method: 'PATCH', counts: 'put', bytes, headers }, resource, signal);
      // It was cleaned away before it was whole: only a new entry helps.
      if ([400, 404].includes(answer.status))
        throw down(http.place, 'takes no more bytes for an entry', { silent: true });
      contentOf(http, answer, 'send an entry');
    });
  const finish = async (size: number, signal: AbortSignal | undefined): Promise<void> => {
    const finished = async (): Promise<boolean> => {
      const answer = await ask(options, { method: 'POST', counts: 'put', json: { size } }, resource, signal);
      if ([400, 404, 409].includes(answer.status)) return false;
      contentOf(http, answer, 'finish an entry');
      return true;
    };
    if (await http.call(signal, finished)) return;
    // An answer may have been lost, and what is finished cannot be finished again.
    if (!(await isThere(signal))) throw down(http.place, 'did not keep an entry', { silent: true });
  };
  return {
    whole: async (bytes, signal) => {
      await block(0, bytes, signal);
      await finish(bytes.length, signal);
    },
    block: (_number, offset, bytes, signal) => block(offset, bytes, signal),
    finish: (_blocks, sizeBytes, signal) => finish(sizeBytes, signal),
  };
}
