import { setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { fetchFor, SluiceError } from '@sluice/engine';
import type { Host } from './host.js';
import { httpUrl } from './http-url.js';
import { asObject, asText, readJson } from './json-values.js';

/** Who asks GitHub's REST API, which one, and for how long. */
export interface GitHubAccess {
  /** `GITHUB_API_URL` says where it is: on a server of a company it is not github.com. */
  readonly env: Host['env'];
  readonly token: string;
  readonly signal?: AbortSignal;
}

/** One request. */
export interface GitHubRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Without a slash before it; with its query. */
  readonly path: string;
  readonly body?: object;
  /** Doing it twice leaves what doing it once does, so it is sent again if its answer is lost. */
  readonly isRepeatable: boolean;
}

/** What GitHub decided. */
export interface GitHubAnswer {
  readonly status: number;
  /** The JSON of it, or `undefined`. */
  readonly content: unknown;
}

const ANSWER_MS = 20_000;
const MOST_TRIES = 4;
const FIRST_WAIT_MS = 500;

/** Asks GitHub. What passes by itself is tried again; a refusal is an answer. Throws one sentence, without the token, if there is none. */
export async function askGitHub(access: GitHubAccess, request: GitHubRequest): Promise<GitHubAnswer> {
  if (!/^[!-~]+$/.test(access.token)) throw new Error(`${nameOf(request)}: the token is empty, or is none`);
  const tries = request.isRepeatable ? MOST_TRIES : 1;
  for (let made = 1; ; made++) {
    const answer = await send(access, request);
    if (typeof answer !== 'string' && answer.status !== 429 && answer.status < 500) return answer;
    access.signal?.throwIfAborted();
    if (made === tries) throw new Error(`${nameOf(request)}: ${typeof answer === 'string' ? answer : tellOf(answer)}`);
    await sleep(FIRST_WAIT_MS * 2 ** (made - 1), undefined, { signal: access.signal });
  }
}

/** A request as errors name it. */
export function nameOf({ method, path }: GitHubRequest): string {
  return `${method} ${path.split('?')[0]}`;
}

/** An answer as errors tell it: its status and what GitHub says to it. */
export function tellOf({ status, content }: GitHubAnswer): string {
  return `${status} ${asText(asObject(content).message)?.slice(0, 300) ?? ''}`.trim();
}

/** Returns a failure of the line as a sentence. */
async function send(
  { env, token, signal }: GitHubAccess,
  { method, path, body }: GitHubRequest,
): Promise<GitHubAnswer | string> {
  const url = `${httpUrl(env.GITHUB_API_URL) ?? 'https://api.github.com'}/${path}`;
  const timeout = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await fetchFor(env)(url, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'sluice-action',
        'x-github-api-version': '2022-11-28',
      },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      // An answer as others are: the token goes to no other place.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, content: readJson(await response.text()) };
  } catch (error) {
    if (timeout.aborted) return `no answer from ${new URL(url).host} in ${ANSWER_MS / 1000} s`;
    return `no answer from ${new URL(url).host} (${reasonOf(error)})`;
  }
}

/** `fetch` says only that it failed. Its cause says why; that of several addresses has a code and no words. */
function reasonOf(error: unknown): string {
  // That of a proxy, which it names.
  if (error instanceof SluiceError) return error.message;
  const cause = isNativeError(error) && isNativeError(error.cause) ? error.cause : error;
  if (!isNativeError(cause)) return String(cause);
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}
