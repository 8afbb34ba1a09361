import type { S3 } from '@aws-sdk/client-s3';
import { SluiceError, throwIfAborted } from '../../errors.js';
import type { RequestCounts } from './counting.js';
import { createPace, type Pace, type PaceOutcome } from './pace.js';
import { type DownDetails, type RetryOptions, tryAgain } from './retry.js';
import { proxyOnTheWay } from './s3-address.js';
import { openS3Client, type S3Access, type S3Client } from './s3-client.js';
import { brokenS3, explainS3, type S3Ask, type S3Place, silentS3 } from './s3-errors.js';
import { parseS3Failure } from './s3-failure.js';
import { createPulse, type Pulse, type PulseLimits } from './s3-pulse.js';

/** One request under way, as its sender sees it. */
export interface Sending {
  readonly s3: S3;
  /** What every call of the SDK gets. */
  readonly http: { readonly abortSignal: AbortSignal };
  /** To be called when bytes went out or came in. */
  readonly moved: () => void;
  /** Notes the SHA-256 of a body, in hex, before it is sent. */
  readonly digest: (body: object, sha256: string) => void;
}

/** A request: what it counts as, what it asks for, and how it is sent. */
export interface S3Request<T> {
  readonly counts: keyof RequestCounts;
  readonly ask: S3Ask;
  /** About how many bytes go or come, where they are many. */
  readonly bytes?: number;
  readonly send: (sending: Sending) => Promise<T>;
}

/** Sends requests to one bucket: counts them, tries them again, watches over them, and gives their errors a code. */
export class S3Requests {
  /** Whether the bucket was seen to be there, so that *not found* cannot mean the bucket. */
  bucketExists = false;
  readonly counts: RequestCounts = { head: 0, get: 0, put: 0, list: 0, delete: 0 };
  private where: S3Place;
  private readonly open: () => Promise<S3Client>;
  private readonly retry: RetryOptions;
  private readonly pulse: Pulse;
  private readonly pace: Pace;
  private client: Promise<S3Client> | undefined;
  /** How many requests were given up because the server said nothing. */
  private silences = 0;

  constructor(place: S3Place, access: S3Access, mostSockets: number, retry: RetryOptions, limits: PulseLimits) {
    this.where = place;
    this.open = () => {
      this.where = { ...place, proxy: proxyOnTheWay(access, place.bucket)?.name };
      return openS3Client(access, mostSockets);
    };
    this.retry = retry;
    this.pace = createPace(mostSockets, () => performance.now());
    this.pulse = createPulse(limits, (signal) => this.ping(signal));
  }

  get place(): S3Place {
    return this.where;
  }

  /** Sends a request until it succeeds or no further try is due. Throws `ERR_REMOTE_DOWN`, `ERR_REMOTE_DENIED`, `ERR_DISK_FULL` or `ERR_INTERRUPTED`. */
  async send<T>(signal: AbortSignal | undefined, request: S3Request<T>): Promise<T> {
    return tryAgain(this.retry, signal, () => this.sendOnce(signal, request));
  }

  /** Waits. Throws `ERR_INTERRUPTED`. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.retry.sleep(ms, signal);
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    }
  }

  private async sendOnce<T>(signal: AbortSignal | undefined, request: S3Request<T>): Promise<T> {
    throwIfAborted(signal);
    const { s3, digests } = await this.ready(request.ask);
    throwIfAborted(signal);
    const { silences } = this;
    const end = await this.pace.begin();
    let outcome: PaceOutcome = 'failed';
    try {
      // While this one waited for its turn, others have found out that nobody is there.
      if (silences !== this.silences) throw silentS3(this.place, 'it says nothing');
      const result = await this.sendNow(s3, digests, signal, request);
      outcome = 'done';
      return result;
    } catch (error) {
      outcome = isTooFast(error) ? 'slower' : 'failed';
      throw error;
    } finally {
      end(outcome, request.bytes ?? 0);
    }
  }

  private async sendNow<T>(
    s3: S3,
    digests: S3Client['digests'],
    signal: AbortSignal | undefined,
    request: S3Request<T>,
  ): Promise<T> {
    throwIfAborted(signal);
    const beat = this.pulse.begin(signal);
    let answered = false;
    this.counts[request.counts]++;
    try {
      const result = await request.send({
        s3,
        http: { abortSignal: beat.signal },
        moved: () => beat.moved(),
        digest: (body, sha256) => digests.set(body, sha256),
      });
      answered = true;
      return result;
    } catch (error) {
      throwIfAborted(signal);
      if (beat.givenUp === 'silent') {
        this.silences++;
        throw silentS3(this.place, 'it says nothing');
      }
      if (beat.givenUp === 'stalled') throw brokenS3(this.place, 'a request got stuck', error);
      answered = parseS3Failure(error).status !== undefined;
      throw explainS3(error, request.ask, this.place);
    } finally {
      beat.end(answered);
    }
  }

  /** A client that has its credentials: how long a profile or a role takes to give them says nothing about the server. */
  private async ready(ask: S3Ask): Promise<S3Client> {
    try {
      this.client ??= this.open();
      const client = await this.client;
      await client.s3.config.credentials();
      return client;
    } catch (error) {
      throw explainS3(error, ask, this.place);
    }
  }

  /** Any answer will do, a refusal too. */
  private async ping(abortSignal: AbortSignal): Promise<void> {
    const { s3 } = await this.ready({ action: 's3:ListBucket' });
    this.counts.head++;
    try {
      await s3.headBucket({ Bucket: this.place.bucket }, { abortSignal });
    } catch (error) {
      if (parseS3Failure(error).status === undefined) throw error;
    }
  }
}

/** Whether the place asks for fewer requests. */
function isTooFast(error: unknown): boolean {
  if (!(error instanceof SluiceError) || error.code !== 'ERR_REMOTE_DOWN') return false;
  const { retryAfterMs }: DownDetails = error.details ?? {};
  return retryAfterMs !== undefined;
}
