import fs, { closeSync, openSync } from 'node:fs';
import { errnoOf, SluiceError, throwIfAborted } from '../errors.js';
import { writeWhole } from '../util/whole-io.js';

/** What a server said of a version of a file, to ask later whether there is another. */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** What came of asking for a URL. */
export type Download =
  | { readonly kind: 'unchanged' }
  | ({ readonly kind: 'received'; readonly bytes: number } & Validators);

/** How to ask. */
export interface DownloadOptions {
  readonly url: string;
  /** Absolute path of a file that is not there yet. After a failure it may hold a beginning. */
  readonly to: string;
  /** Of the version that is known: if the server still has that one, nothing is received. */
  readonly known?: Validators;
  readonly signal?: AbortSignal | undefined;
  /** Asks for one URL, and follows no redirect. */
  readonly fetch: (
    url: URL,
    init: { readonly redirect: 'manual'; readonly headers: Record<string, string>; readonly signal: AbortSignal },
  ) => Promise<Response>;
}

/** As many as browsers follow. */
const MOST_REDIRECTS = 20;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** A server that sends nothing for so long is taken for dead. */
const SILENCE_MS = 30_000;

/**
 * Receives a file over HTTP or HTTPS. Redirects are followed to such addresses only, and never from HTTPS to HTTP. Throws `ERR_URL_UNSAFE` for other addresses and for
 * credentials in them, `ERR_DOWNLOAD` if the server refuses, breaks off or falls silent, `ERR_INTERRUPTED`, and what writing throws.
 */
export async function download({ url, to, known, signal, fetch }: DownloadOptions): Promise<Download> {
  const silence = watchSilence(signal);
  let address = checkUrl(url);
  try {
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const answer = await fetch(address, {
        redirect: 'manual',
        headers: { 'accept-encoding': 'identity', ...conditions(known) },
        signal: silence.signal,
      });
      silence.heard();
      if (REDIRECTS.includes(answer.status)) {
        await answer.body?.cancel();
        address = checkRedirect(address, answer.headers.get('location'));
        continue;
      }
      if (answer.status === 304 && known !== undefined) return { kind: 'unchanged' };
      if (answer.status !== 200) throw failed(address, `the server answered ${answer.status}`);
      const bytes = await receive(answer, to, silence.heard);
      const etag = answer.headers.get('etag') ?? undefined;
      const lastModified = answer.headers.get('last-modified') ?? undefined;
      return { kind: 'received', bytes, etag, lastModified };
    }
    throw failed(address, `there were more than ${MOST_REDIRECTS} redirects`);
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof SluiceError && error.code.startsWith('ERR_REMOTE_'))
      throw failed(address, error.message, error, error.hint);
    if (error instanceof SluiceError || isOfDisk(error)) throw error;
    throw failed(address, silence.isOver() ? `nothing came for ${SILENCE_MS / 1000} s` : causeOf(error), error);
  } finally {
    silence.end();
  }
}

/** A URL that may be asked for. Throws `ERR_URL_UNSAFE`. */
export function checkUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw unsafe('it is no URL');
  const url = new URL(text, base);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw unsafe(`${url.protocol} is neither http: nor https:`);
  if (url.username !== '' || url.password !== '') throw unsafe('it holds a user name or a password');
  return url;
}

/** A URL as messages show it: what follows `?` may be a secret. */
function shownUrl({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}

function checkRedirect(from: URL, location: string | null): URL {
  if (location === null) throw failed(from, 'it redirects to nowhere');
  const to = checkUrl(location, from);
  if (from.protocol === 'https:' && to.protocol === 'http:') throw unsafe(`${shownUrl(from)} redirects to plain HTTP`);
  return to;
}

function conditions({ etag, lastModified }: Validators = {}): Record<string, string> {
  if (etag !== undefined) return { 'if-none-match': etag };
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified };
}

async function receive(answer: Response, to: string, heard: () => void): Promise<number> {
  const fd = openSync(to, 'wx');
  let bytes = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      heard();
      writeWhole(fs, fd, chunk);
      bytes += chunk.length;
    }
  } finally {
    closeSync(fd);
  }
  const promised = answer.headers.get('content-length');
  if (promised !== null && Number(promised) !== bytes) {
    throw new SluiceError('ERR_DOWNLOAD', `${bytes} of ${promised} bytes came`, { hint: 'Try again.' });
  }
  return bytes;
}

interface Silence {
  readonly signal: AbortSignal;
  heard(): void;
  isOver(): boolean;
  end(): void;
}

/** A signal that aborts with another one, or when nothing was heard for too long. */
function watchSilence(signal: AbortSignal | undefined): Silence {
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), SILENCE_MS);
  return {
    signal: signal === undefined ? silent.signal : AbortSignal.any([signal, silent.signal]),
    heard: () => void timer.refresh(),
    isOver: () => silent.signal.aborted,
    end: () => clearTimeout(timer),
  };
}

function isOfDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'path' in error && errnoOf(error) !== undefined;
}

/** `fetch` says only that it failed; why stands in the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = errnoOf(cause);
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}

const CHECK = 'Check the address and the connection, then try again. Nothing was changed.';

function failed(url: URL, problem: string, cause?: unknown, hint: string = CHECK): SluiceError {
  return new SluiceError('ERR_DOWNLOAD', `${shownUrl(url)} cannot be had: ${problem}`, {
    hint,
    cause,
  });
}

function unsafe(problem: string): SluiceError {
  return new SluiceError('ERR_URL_UNSAFE', `the address is not asked for: ${problem}`, {
    hint: 'Use an http or https address without credentials; it is written to a file that git keeps.',
  });
}
