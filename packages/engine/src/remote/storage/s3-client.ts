import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import type { Proxies } from './proxy/proxies.js';

/** How a bucket is reached. Keys and tokens are found by the SDK, in its usual places. */
export interface S3Access {
  readonly region?: string | undefined;
  /** Of a service that is not AWS. */
  readonly endpoint?: string | undefined;
  /** The bucket in the path and not in the host name; where there is an endpoint, that is the default. */
  readonly forcePathStyle?: boolean | undefined;
  /** A name in the shared configuration files of AWS. */
  readonly profile?: string | undefined;
  /** Requests are not signed: for public buckets. */
  readonly anonymous?: boolean | undefined;
  /** Those that may be on the way. */
  readonly proxies?: Proxies | undefined;
}

/** A client, and a note for it of what a body's SHA-256 is, which is then signed, so that the server compares it. */
export interface S3Client {
  readonly s3: S3;
  readonly digests: WeakMap<object, string>;
}

const DIGEST_HEADER = 'x-amz-content-sha256';

/** Opens a client. The SDK is loaded here and nowhere else, when it is first needed: that takes 150 ms. */
export async function openS3Client(access: S3Access, mostSockets: number): Promise<S3Client> {
  const { S3 } = await import('@aws-sdk/client-s3');
  const agents = await agentsFor(access, mostSockets);
  const s3 = withoutWarning(() => new S3(configOf(access, agents)));
  agents.prepare?.(s3);
  const digests = new WeakMap<object, string>();
  s3.middlewareStack.add(
    (next) => (args) => {
      const body: unknown = 'Body' in args.input ? args.input.Body : undefined;
      const digest = typeof body === 'object' && body !== null ? digests.get(body) : undefined;
      if (digest !== undefined) headersOf(args.request)[DIGEST_HEADER] = digest;
      return next(args);
    },
    { step: 'build', name: 'digestOfBody' },
  );
  return { s3, digests };
}

interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  /** Has to see the client before its first request. */
  readonly prepare?: (s3: S3) => void;
}

async function agentsFor({ proxies }: S3Access, mostSockets: number): Promise<Agents> {
  const options = { keepAlive: true, maxSockets: mostSockets, scheduling: 'lifo' } as const;
  if (proxies === undefined) return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
  const { s3AgentsBy } = await import('./proxy/s3-agents.js');
  return s3AgentsBy(proxies, options);
}

function configOf(access: S3Access, { httpAgent, httpsAgent }: Agents): S3ClientConfig {
  const forcePathStyle = access.forcePathStyle ?? (access.endpoint === undefined ? undefined : true);
  return {
    // The driver tries again, as all of them do.
    maxAttempts: 1,
    logger: SILENT,
    // Services other than AWS do not know the newer checksums; each body is signed with its SHA-256, which they check.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it each large body waits for a word that some servers never say.
    expectContinueHeader: false,
    requestHandler: { httpAgent, httpsAgent },
    ...(access.endpoint === undefined ? {} : { endpoint: access.endpoint }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    ...(access.region === undefined ? {} : { region: access.region }),
    ...(access.profile === undefined ? {} : { profile: access.profile }),
    ...(access.anonymous === true ? UNSIGNED : {}),
  };
}

/** Without a logger the SDK writes to the console. */
const SILENT: NonNullable<S3ClientConfig['logger']> = { debug() {}, info() {}, warn() {}, error() {} };

const UNSIGNED: S3ClientConfig = {
  credentials: { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' },
  signer: { sign: async (request) => request },
};

/** A request between the steps of the SDK, of which only the headers matter here. */
function headersOf(request: unknown): Record<string, string> {
  return (request as { readonly headers: Record<string, string> }).headers;
}

/** The SDK warns at each start on Node 20, which is supported here. The setting that stops it lasts for this call only. */
function withoutWarning<T>(make: () => T): T {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
  const before = process.env[name];
  process.env[name] = 'true';
  try {
    return make();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}
