import { SluiceError } from '../../errors.js';
import type { DownDetails } from './retry.js';
import { parseS3Failure, type S3Failure } from './s3-failure.js';

/** What was asked of S3, for messages. */
export interface S3Ask {
  /** The permission that it takes. */
  readonly action: S3Action;
  /** The whole key in the bucket; none for what concerns the bucket. */
  readonly key?: string;
}

/** Permissions of IAM that the driver needs. */
export type S3Action =
  | 's3:GetObject'
  | 's3:PutObject'
  | 's3:DeleteObject'
  | 's3:ListBucket'
  | 's3:AbortMultipartUpload'
  | 's3:ListBucketMultipartUploads'
  | 's3:ListMultipartUploadParts';

/** Where it was asked. */
export interface S3Place {
  readonly description: string;
  readonly bucket: string;
  /** The name of the proxy on the way there. */
  readonly proxy?: string | undefined;
}

/** What the SDK says of an answer that has no code of S3. */
const NO_WORDS = new Set(['UnknownError', 'Unknown']);
/** Who asks for fewer requests and does not say for how long. */
const TOO_FAST = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'TooManyRequestsException']);
const SLOWER_MS = 1000;
/** Failures of transport that a later try may not have; besides them, every answer with a status from 500 on. */
const PASSING = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'OperationAborted',
  'RequestTimeout',
  'XAmzContentSHA256Mismatch',
]);
const PASSING_STATUS = new Set([408, 409, 425, 429]);
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired']);
const WRONG_KEYS = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'XAdminUserNotFound']);
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded']);
const CERTIFICATE = /CERT|UNABLE_TO_VERIFY|SELF_SIGNED/;
const WRONG_REGION = new Set([
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'PermanentRedirect',
  'TemporaryRedirect',
]);

/**
 * Gives an error of the SDK its code. `ERR_REMOTE_DOWN` may pass, and says in its details how long to wait; `ERR_REMOTE_DENIED` needs somebody to change something, and says what.
 */
export function explainS3(error: unknown, ask: S3Ask, place: S3Place): SluiceError {
  if (error instanceof SluiceError) return error;
  const failure = parseS3Failure(error);
  const denied = (message: string, hint: string): SluiceError =>
    new SluiceError('ERR_REMOTE_DENIED', message, { cause: error, hint });
  const { name, status } = failure;

  if (name === 'NoSuchBucket') {
    return denied(
      `bucket ${place.bucket} does not exist (${place.description})`,
      'Create it, or correct `url` and `endpoint` of the remote.',
    );
  }
  if (EXPIRED.has(name)) {
    return denied(
      `the credentials for ${place.description} have expired`,
      'Get new ones (for example `aws sso login`; in GitHub Actions a longer `role-duration-seconds`) and run the same command again: what was sent is not sent again.',
    );
  }
  if (name === 'RequestTimeTooSkewed' && !failure.clockCorrected) {
    return denied(
      `${place.description} refuses the time of this machine, ${skewOf(failure)}`,
      'Set the clock of this machine, for example with NTP.',
    );
  }
  if (WRONG_REGION.has(name) || status === 301 || status === 307) {
    const region = regionIn(failure);
    return denied(
      `bucket ${place.bucket} lies in ${region === undefined ? 'another region' : `region ${region}`} than was asked (${place.description})`,
      region === undefined
        ? 'Set `region` and `endpoint` of the remote to those of the bucket.'
        : `Set "region": "${region}" for this remote in sluice.json; for an import or export, --region ${region}.`,
    );
  }
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return denied(
      `no credentials were found for ${place.description}: ${firstLine(failure.message)}`,
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE or the `profile` of the remote to the name of a profile that is there; a public bucket needs "anonymous": true.',
    );
  }
  if (failure.message.startsWith('Region is missing')) {
    return denied(`no region is known for ${place.description}`, 'Set the `region` of the remote, or AWS_REGION.');
  }
  if (WRONG_KEYS.has(name)) {
    return denied(
      `${place.description} does not accept the credentials (${name})`,
      'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the profile, and that they belong to this endpoint.',
    );
  }
  if (FULL.has(name) || status === 507) {
    return new SluiceError('ERR_DISK_FULL', `no space is left in ${place.description} (${name})`, {
      cause: error,
      hint: 'Free some space there and push again; what was sent so far is not sent again.',
    });
  }
  if (failure.errno !== undefined && CERTIFICATE.test(failure.errno)) {
    return denied(
      `the certificate of ${place.description} is not trusted (${failure.errno})`,
      'If the service has a certificate of its own, name its authority in NODE_EXTRA_CA_CERTS.',
    );
  }
  if (mayPass(failure)) return down(error, failure, place);
  if (status === 401 || status === 403) return notAllowed(error, failure, ask, place);
  if (status === undefined) return down(error, failure, place);
  if (NO_WORDS.has(name) || NO_WORDS.has(failure.message)) {
    return denied(
      `${place.description} answers with status ${status}, but not in the words of S3`,
      place.proxy === undefined
        ? 'Check `endpoint`: something else may answer there.'
        : `Check \`endpoint\`: something else may answer there, or the proxy on the way: ${place.proxy}.`,
    );
  }
  return denied(
    `${place.description} refuses ${ask.action}${keyOf(ask)}: ${name}: ${firstLine(failure.message)}`,
    'Check the settings of the remote in sluice.json; the service may not know one of them.',
  );
}

/** The error for a place that says nothing at all. Trying again is of no use. */
export function silentS3(place: S3Place, what: string): SluiceError {
  return new SluiceError('ERR_REMOTE_DOWN', `${place.description} does not answer (${what})`, {
    hint: check(place),
    details: { silent: true } satisfies DownDetails,
  });
}

/** The error for an answer that broke off or is not what was asked for. */
export function brokenS3(place: S3Place, what: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_REMOTE_DOWN', `${place.description}: ${what}`, { cause, hint: check(place) });
}

function check({ proxy }: S3Place): string {
  return proxy === undefined
    ? 'Check the endpoint and the network.'
    : `Check the endpoint, and the proxy on the way there: ${proxy}.`;
}

function mayPass({ name, status, clockCorrected }: S3Failure): boolean {
  if (clockCorrected || PASSING.has(name) || TOO_FAST.has(name)) return true;
  return status !== undefined && ((status >= 500 && status !== 501 && status !== 507) || PASSING_STATUS.has(status));
}

function down(error: unknown, failure: S3Failure, place: S3Place): SluiceError {
  const { name, status, errno, message } = failure;
  const why = status === undefined ? (errno ?? firstLine(message)) : `${status} ${name}`;
  const retryAfterMs = waitIn(failure) ?? (TOO_FAST.has(name) || status === 429 ? SLOWER_MS : undefined);
  const details: DownDetails = {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    // No such host: that will not change in the next seconds.
    ...(errno === 'ENOTFOUND' ? { silent: true } : {}),
  };
  return new SluiceError('ERR_REMOTE_DOWN', `${place.description} does not answer as it should (${why})`, {
    cause: error,
    hint: check(place),
    ...(Object.keys(details).length === 0 ? {} : { details: { ...details } }),
  });
}

/** AWS names the permission that is missing; others say only that one is. */
function notAllowed(error: unknown, failure: S3Failure, ask: S3Ask, place: S3Place): SluiceError {
  const action = missingPermission(failure) ?? ask.action;
  const orMissing =
    ask.action === 's3:GetObject'
      ? ' Without s3:ListBucket on the bucket, S3 gives the same answer for what is not there, so allow that too.'
      : '';
  // Without TLS it can answer itself, and a question without a body has no words by which to tell who did.
  const orProxy = place.proxy === undefined ? '' : ` The proxy on the way, ${place.proxy}, may have answered instead.`;
  return new SluiceError('ERR_REMOTE_DENIED', `${place.description} does not allow ${action}${keyOf(ask)}`, {
    cause: error,
    hint: `Allow ${action} to these credentials, or use others.${orMissing}${orProxy}`,
    details: { action },
  });
}

/** The permission that an answer of AWS says is missing. */
export function missingPermission({ message }: S3Failure): string | undefined {
  return /not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/.exec(message)?.[1];
}

function regionIn({ headers, message }: S3Failure): string | undefined {
  const region = headers['x-amz-bucket-region'] ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
  return region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? region : undefined;
}

/** `Retry-After`: seconds, or a date by the clock of the server. */
function waitIn({ headers }: S3Failure): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const waitMs = Date.parse(text) - Date.parse(headers.date ?? '');
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}

function skewOf({ headers }: S3Failure): string {
  const aheadMs = Date.now() - Date.parse(headers.date ?? '');
  if (!Number.isFinite(aheadMs)) return 'which differs from its own';
  return `which is ${Math.round(Math.abs(aheadMs) / 60_000)} minutes ${aheadMs > 0 ? 'ahead of' : 'behind'} its own`;
}

function keyOf({ key }: S3Ask): string {
  return key === undefined ? '' : ` for ${key}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}
