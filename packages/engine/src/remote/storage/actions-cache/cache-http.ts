import { throwIfAborted } from '../../../errors.js';
import { whenAborted } from '../../../util/when-aborted.js';
import { type Breaker, createBreaker } from '../breaker.js';
import type { RequestCounts } from '../counting.js';
import type { Fetch } from '../proxy/fetch-port.js';
import { type RetryOptions, tryAgain } from '../retry.js';
import { type CacheAnswer, down, explainNoAnswer } from './cache-errors.js';

/** How long is waited. */
export interface CacheLimits {
  /** For the beginning of an answer; a request with a body has time for its bytes besides. */
  readonly answerMs: number;
  /** For the next bytes of an answer. */
  readonly stallMs: number;
}

/** How requests are made. */
export interface CacheHttpOptions {
  /** Names the service in messages. */
  readonly place: string;
  readonly retry: RetryOptions;
  readonly limits: CacheLimits;
  readonly fetch: Fetch;
}

/** One request. */
export interface CacheRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Of the answer, no more is read. */
  readonly mostBytes: number;
  readonly counts: keyof RequestCounts;
}

/** A body may come this slowly: 100 kB/s. */
const SLOWEST_BYTES_PER_MS = 100;
/** After so many calls in a row that failed with all their tries, the service is left alone for a while. */
const BREAKER = { failures: 3, restMs: 30_000 };

/** Requests to one service: counted, bounded in time, tried again, and not made at all after too many failures. */
export class CacheHttp {
  readonly counts: RequestCounts = { head: 0, get: 0, put: 0, list: 0, delete: 0 };
  readonly place: string;
  private readonly options: CacheHttpOptions;
  private readonly breaker: Breaker;

  constructor(options: CacheHttpOptions) {
    this.options = options;
    this.place = options.place;
    this.breaker = createBreaker(BREAKER, () => performance.now());
  }

  /** Calls until it succeeds, fails for good, or is aborted. */
  call<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    return this.breaker.run(() =>
      tryAgain(this.options.retry, signal, async () => {
        throwIfAborted(signal);
        return await attempt();
      }),
    );
  }

  /** Sends one request once. Any status is an answer; throws `ERR_REMOTE_DOWN` if there is none, or not all of it, in time. */
  async send(request: CacheRequest, signal: AbortSignal | undefined): Promise<CacheAnswer> {
    const { answerMs, stallMs } = this.options.limits;
    this.counts[request.counts]++;
    const watch = watchProgress(signal);
    try {
      watch.expect(answerMs + (request.body?.length ?? 0) / SLOWEST_BYTES_PER_MS);
      const response = await this.options.fetch(request.url, {
        method: request.method,
        headers: { 'user-agent': 'sluice', ...request.headers },
        // A signed URL may lead elsewhere; the token never follows.
        redirect: request.method === 'GET' && !('authorization' in request.headers) ? 'follow' : 'error',
        signal: watch.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      watch.expect(stallMs);
      for await (const chunk of response.body ?? []) {
        watch.expect(stallMs);
        chunks.push(chunk);
        bytes += chunk.length;
        // An answer that ends where it should is read to its end, so that its connection can be used again.
        if (bytes > request.mostBytes) break;
      }
      const body = Buffer.concat(chunks).subarray(0, request.mostBytes);
      return { status: response.status, headers: response.headers, body };
    } catch (error) {
      throwIfAborted(signal);
      throw watch.signal.aborted ? down(this.place, 'takes too long to answer') : explainNoAnswer(error, this.place);
    } finally {
      watch.end();
    }
  }
}

/** Aborts when what is expected does not happen in time, or when the caller does. */
function watchProgress(caller: AbortSignal | undefined): {
  readonly signal: AbortSignal;
  expect(withinMs: number): void;
  end(): void;
} {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  let timer: NodeJS.Timeout | undefined;
  if (caller?.aborted === true) stop();
  const forget = whenAborted(caller, stop);
  return {
    signal: controller.signal,
    expect: (withinMs) => {
      clearTimeout(timer);
      timer = setTimeout(stop, withinMs);
    },
    end: () => {
      clearTimeout(timer);
      forget();
    },
  };
}
