import { asChoice, asFlag, asName, asText, type Fail, placeOf } from '../model/json.js';
import { defined } from '../util/defined.js';

/** How a bucket is spoken to, and how objects are kept in it. */
export interface BucketSettings {
  readonly region?: string;
  /** `http(s)://host` of a service that is not AWS. */
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
  /** A name in the shared configuration files of AWS. */
  readonly profile?: string;
  /** Requests are not signed: for public buckets. */
  readonly anonymous?: boolean;
  /** Who reads and writes pays, and not the owner of the bucket. */
  readonly requestPayer?: boolean;
  readonly storageClass?: string;
  readonly sse?: Encryption;
  /** Id or ARN of the key of KMS. */
  readonly kmsKey?: string;
}

/** Who keeps the keys with which a service encrypts: the service itself, or the KMS of AWS. */
export type Encryption = 'AES256' | 'aws:kms';

/** The keys of {@link BucketSettings}. */
export const BUCKET_KEYS: readonly (keyof BucketSettings)[] = [
  'region',
  'endpoint',
  'forcePathStyle',
  'profile',
  'anonymous',
  'requestPayer',
  'storageClass',
  'sse',
  'kmsKey',
];

const ENCRYPTIONS = ['AES256', 'aws:kms'] as const satisfies Encryption[];
/** Names that go into headers and host names. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9_:/.-]{0,255}$/;

/** Reads the settings of a bucket among others of an object at `place`. */
export function readBucketSettings(entry: ReadonlyMap<string, unknown>, place: string, fail: Fail): BucketSettings {
  const optional = <T>(key: string, read: (value: unknown, place: string, fail: Fail) => T): T | undefined =>
    entry.get(key) === undefined ? undefined : read(entry.get(key), placeOf(place, key), fail);
  return defined({
    region: optional('region', asPlain),
    endpoint: optional('endpoint', asEndpoint),
    forcePathStyle: optional('forcePathStyle', asFlag),
    profile: optional('profile', asName),
    anonymous: optional('anonymous', asFlag),
    requestPayer: optional('requestPayer', asFlag),
    storageClass: optional('storageClass', asPlain),
    sse: optional('sse', (given, at) => asChoice<Encryption>(given, ENCRYPTIONS, at, fail)),
    kmsKey: optional('kmsKey', asPlain),
  });
}

function asPlain(value: unknown, place: string, fail: Fail): string {
  const text = asText(value, place, fail);
  return PLAIN.test(text) ? text : fail(place, 'holds other characters than letters, digits and "_:/.-"');
}

function asEndpoint(value: unknown, place: string, fail: Fail): string {
  const text = asText(value, place, fail);
  if (!/^https?:\/\/[^/@]+(?:\/|$)/.test(text) || !URL.canParse(text))
    return fail(place, 'is not http(s)://host without a user name');
  return text;
}
