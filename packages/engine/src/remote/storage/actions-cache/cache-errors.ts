import { SluiceError } from '../../../errors.js';
import type { DownDetails } from '../retry.js';

/** What a service answered. */
export interface CacheAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

const CERTIFICATE = /CERT|UNABLE_TO_VERIFY|SELF_SIGNED/;
const PASSING = new Set([408, 425, 429]);
const SLOWER_MS = 2000;

/** The error for a request that got no answer. */
export function explainNoAnswer(error: unknown, place: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const errno = errnoIn(error);
  if (errno !== undefined && CERTIFICATE.test(errno)) {
    return new SluiceError('ERR_REMOTE_DENIED', `the certificate of ${place} is not trusted (${errno})`, {
      cause: error,
      hint: 'If the service has a certificate of its own, name its authority in NODE_EXTRA_CA_CERTS.',
    });
  }
  return down(place, `does not answer (${errno ?? 'no reason given'})`, errno === 'ENOTFOUND' ? { silent: true } : {});
}

/** The error for an answer that is no success. What it says is told, but no URL, for that may be signed. */
export function explainAnswer({ status, headers, body }: CacheAnswer, what: string, place: string): SluiceError {
  const said = wordsOf(body);
  if (/insufficient usage|quota|exceeded the .*storage/i.test(said)) {
    return new SluiceError('ERR_DISK_FULL', `${place} has no space left: ${said}`, {
      hint: 'Raise the budget of the Actions cache, delete old caches of the repository, or keep data in a bucket.',
    });
  }
  const refused = deniedBy(said, place);
  if (refused !== undefined) return refused;
  if (status === 401) {
    return new SluiceError('ERR_REMOTE_DENIED', `${place} does not accept the token of this job`, {
      hint: 'It is valid only while its job runs. Run the job again.',
    });
  }
  if (status === 403) {
    return new SluiceError('ERR_REMOTE_DENIED', `${place} does not allow to ${what}${withWords(said)}`, {
      hint: 'Look which rights the event of this workflow has on the cache.',
    });
  }
  if (status >= 500 || PASSING.has(status)) {
    const retryAfterMs = waitIn(headers) ?? (status === 429 ? SLOWER_MS : undefined);
    return down(
      place,
      `could not ${what} (${status}${withWords(said)})`,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    );
  }
  return new SluiceError('ERR_REMOTE_DENIED', `${place} refuses to ${what} (${status}${withWords(said)})`, {
    hint: 'Something else may answer at this URL, or the protocol has changed: update Sluice.',
  });
}

/** The error if words of the service say that the token may not read or write. */
export function deniedBy(said: string, place: string): SluiceError | undefined {
  const [, kind] = /cache (read|write) denied/i.exec(said) ?? [];
  if (kind === undefined) return undefined;
  return new SluiceError('ERR_REMOTE_DENIED', `${place} lets this job not ${kind.toLowerCase()}${withWords(said)}`, {
    hint: 'Events that anyone can trigger, and jobs with `cache-mode`, have fewer rights on the cache.',
    details: { denied: kind.toLowerCase() },
  });
}

/** The error for an answer that cannot be right, such as one that is cut off. It may pass. */
export function down(place: string, what: string, details: DownDetails = {}): SluiceError {
  return new SluiceError('ERR_REMOTE_DOWN', `${place} ${what}`, {
    hint: 'Run the job again later; what was pushed before is not lost.',
    ...(Object.keys(details).length === 0 ? {} : { details: { ...details } }),
  });
}

/** What a service says in words: `msg` of twirp, `message` of REST, `Message` of blobs. */
export function wordsOf(body: Buffer): string {
  const text = body.toString('utf8', 0, 4096);
  const found =
    /"(?:msg|message|error)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? /<Message>([^<]*)/.exec(text)?.[1] ?? '';
  return (
    found
      .replaceAll(/https?:\/\/\S+/g, '(a URL)')
      .split('\n', 1)[0]
      ?.slice(0, 300) ?? ''
  );
}

function withWords(said: string): string {
  return said === '' ? '' : `: ${said}`;
}

function waitIn(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

function errnoIn(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}
