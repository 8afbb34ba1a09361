import { type CacheAnswer, deniedBy, down, explainAnswer, wordsOf } from './cache-errors.js';
import type { CacheHttp } from './cache-http.js';
import { fieldOf, flagOf, jsonOf, urlOf } from './cache-json.js';
import { readSigned } from './cache-read.js';
import type { CacheService, EntryUpload, FoundEntry } from './cache-service.js';
import { foundEntry } from './found-entry.js';

/** How the service is reached. */
export interface CacheV2Options {
  readonly http: CacheHttp;
  /** `ACTIONS_RESULTS_URL`. */
  readonly base: string;
  readonly token: string;
  /** Entries of another version are not seen. */
  readonly version: string;
}

const SERVICE = 'github.actions.results.api.v1.CacheService';
const MOST_ANSWER_BYTES = 64 * 1024;
/** Of the blob service: old enough that every copy of it knows it. */
const BLOB_VERSION = '2021-12-02';

/**
 * Version 2 of the service: three remote calls in JSON, and blobs behind signed URLs. `docs/format.md`, "Actions cache", says what lies there; the header of
 * `scripts/actions-cache/server.mjs` says how it is spoken.
 */
export function cacheServiceV2(options: CacheV2Options): CacheService {
  const { http, version } = options;
  const find = async (
    key: string,
    how: 'exact' | 'newest',
    signal: AbortSignal | undefined,
  ): Promise<FoundEntry | undefined> => {
    const asked = { key, ...(how === 'newest' ? { restore_keys: [key] } : {}), version };
    const body = await http.call(signal, async () => {
      const answer = await ask(options, 'GetCacheEntryDownloadURL', asked, 'head', signal);
      if (answer.status === 404) return undefined;
      return answerOf(http, answer, 'look up an entry');
    });
    if (body === undefined || !body.ok) return undefined;
    const { value } = body;
    const found = {
      key: fieldOf(value, 'matched_key', 'matchedKey'),
      url: fieldOf(value, 'signed_download_url', 'signedDownloadUrl'),
    };
    return foundEntry(http, { key, how }, found);
  };
  return {
    arbitrates: true,
    find,
    read: (url, range, signal) => readSigned(http, url, range, signal),
    create: (key, signal) =>
      http.call(signal, async () => {
        const answer = await ask(options, 'CreateCacheEntry', { key, version }, 'put', signal);
        if (answer.status === 409) return 'exists';
        const { ok, value } = answerOf(http, answer, 'reserve an entry');
        // Whatever its words: another job has the key, or is about to.
        if (!ok) return 'exists';
        const url = urlOf(fieldOf(value, 'signed_upload_url', 'signedUploadUrl'));
        if (url === undefined) throw down(http.place, 'reserved an entry and does not say where');
        return uploadTo(
          options,
          key,
          url,
          async (signalOfCheck) => (await find(key, 'exact', signalOfCheck)) !== undefined,
        );
      }),
  };
}

type Method = 'CreateCacheEntry' | 'FinalizeCacheEntryUpload' | 'GetCacheEntryDownloadURL';

function ask(
  { http, base, token }: CacheV2Options,
  method: Method,
  message: object,
  counts: 'head' | 'put',
  signal: AbortSignal | undefined,
): Promise<CacheAnswer> {
  return http.send(
    {
      method: 'POST',
      url: new URL(`/twirp/${SERVICE}/${method}`, base).href,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(message)),
      mostBytes: MOST_ANSWER_BYTES,
      counts,
    },
    signal,
  );
}

/** An answer of a call; one that is not `ok` may say that the token has no right. */
function answerOf(
  http: CacheHttp,
  answer: CacheAnswer,
  what: string,
): { readonly ok: boolean; readonly value: unknown } {
  if (answer.status < 200 || answer.status > 299) throw explainAnswer(answer, what, http.place);
  const value = jsonOf(answer.body);
  if (value === undefined) throw down(http.place, 'answers with something that is no JSON');
  const ok = flagOf(value, 'ok');
  const said = wordsOf(answer.body);
  if (!ok && /insufficient usage/i.test(said)) throw explainAnswer(answer, what, http.place);
  const refused = ok ? undefined : deniedBy(said, http.place);
  if (refused !== undefined) throw refused;
  return { ok, value };
}

function uploadTo(
  options: CacheV2Options,
  key: string,
  url: string,
  isThere: (signal: AbortSignal | undefined) => Promise<boolean>,
): EntryUpload {
  const { http, version } = options;
  const put = (
    query: string,
    body: Buffer,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<void> =>
    http.call(signal, async () => {
      const answer = await http.send(
        {
          method: 'PUT',
          url: query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`,
          headers: { 'x-ms-version': BLOB_VERSION, ...headers },
          body,
          mostBytes: MOST_ANSWER_BYTES,
          counts: 'put',
        },
        signal,
      );
      if (answer.status >= 200 && answer.status <= 299) return;
      // The URL is too old, or the entry was evicted before it was whole: only a new entry helps.
      if ([401, 403, 404].includes(answer.status)) {
        throw down(http.place, `takes no more bytes for an entry (${answer.status})`, { silent: true });
      }
      throw explainAnswer(answer, 'send an entry', http.place);
    });
  const finalize = async (sizeBytes: number, signal: AbortSignal | undefined): Promise<void> => {
    const message = { key, version, size_bytes: String(sizeBytes) };
    const finished = async (): Promise<boolean> => {
      const answer = await ask(options, 'FinalizeCacheEntryUpload', message, 'put', signal);
      if (answer.status === 404 || answer.status === 409) return false;
      return answerOf(http, answer, 'finish an entry').ok;
    };
    if (await http.call(signal, finished)) return;
    // An answer may have been lost, and what is finished cannot be finished again.
    if (!(await isThere(signal))) throw down(http.place, 'did not keep an entry', { silent: true });
  };
  return {
    whole: async (bytes, signal) => {
      await put('', bytes, { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' }, signal);
      await finalize(bytes.length, signal);
    },
    block: (number, _offset, bytes, signal) =>
      put(`comp=block&blockid=${encodeURIComponent(blockId(number))}`, bytes, {}, signal),
    finish: async (blocks, sizeBytes, signal) => {
      const list = Array.from({ length: blocks }, (_, number) => `<Latest>${blockId(number)}</Latest>`).join('');
      const xml = Buffer.from(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`);
      await put('comp=blocklist', xml, { 'content-type': 'application/xml' }, signal);
      await finalize(sizeBytes, signal);
    },
  };
}

/** All ids of a blob have one length. */
function blockId(number: number): string {
  return Buffer.from(String(number).padStart(48, '0')).toString('base64');
}
