import { SluiceError } from '../errors.js';
import { asChoice, asFlag, asList, asName, asObject, type Fail, parseJson, placeOf } from '../model/json.js';
import type { Durability } from '../store/durable.js';
import { defined } from '../util/defined.js';
import { suggestion } from '../util/did-you-mean.js';
import { type BucketSettings, readBucketSettings } from './bucket-settings.js';
import type { LinkKind } from './place-batch.js';

/** One remote as a file gives it; each of the two files may give a part. */
export interface RemoteEntry extends BucketSettings {
  readonly url?: string;
  readonly readOnly?: boolean;
  readonly concurrency?: number;
  readonly compression?: Compression;
  readonly chunking?: boolean;
  readonly trust?: Trust;
}

/** Whether what is sent to a remote is compressed: where it gets smaller and holds nothing up, wherever it gets smaller, or never. */
export type Compression = 'auto' | 'always' | 'none';

/** Which records and maps of a remote count: those of an area that counts, or of these only what one of our keys has signed. */
export type Trust = 'areas' | 'strict';

/** When something is done: on request, or after each run of a stage. */
export type When = 'manual' | 'after-run';

/** When new data is pushed: besides, as soon as a stage has made it. What is left is then pushed after the run. */
export type PushWhen = When | 'while-running';
/** What git's hooks of `sluice init --hooks` do. */
export interface HookSettings {
  /** When git has switched: put in place what is in the store, or fetch it too. */
  readonly postCheckout?: 'checkout' | 'pull' | undefined;
  /** Before git publishes locks whose data no remote holds: refuse, or push it. */
  readonly prePush?: 'refuse' | 'push' | undefined;
}

/** What `sluice.json` or `sluice.local.json` says. */
export interface ConfigFile {
  readonly store?: string;
  readonly defaultRemote?: string;
  readonly remotes: ReadonlyMap<string, RemoteEntry>;
  readonly link?: readonly LinkKind[];
  readonly durability?: Durability;
  readonly push?: PushWhen;
  readonly gc?: When;
  readonly hooks?: HookSettings;
  readonly trust?: Trust;
}

const KEYS = ['$schema', 'store', 'defaultRemote', 'remotes', 'link', 'durability', 'push', 'gc', 'hooks', 'trust'];
const REMOTE_KEYS = [
  'url',
  'region',
  'endpoint',
  'forcePathStyle',
  'readOnly',
  'concurrency',
  'storageClass',
  'sse',
  'kmsKey',
  'profile',
  'anonymous',
  'requestPayer',
  'compression',
  'chunking',
  'trust',
];
/** The words for {@link Trust}. */
export const TRUST: readonly Trust[] = ['areas', 'strict'];
const COMPRESSIONS = ['auto', 'always', 'none'] as const satisfies Compression[];
const CREDENTIALS =
  /^(?:.*(?:secret|password|passwd|credential|private_?key).*|(?:access_?key(?:_?id)?|session_?token|auth_?token|api_?key|token))$/i;
const REMOTE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const WHEN = ['manual', 'after-run'] as const;
const PUSH_WHEN = [...WHEN, 'while-running'] as const;
/** Hard links are not a setting: they follow from `mutability: strict` of an out. */
const LINKS = ['reflink', 'copy'] as const satisfies LinkKind[];

/** Whether a remote can have this name: letters, digits, `.`, `_` and `-`. */
export function isRemoteName(name: string): boolean {
  return REMOTE_NAME.test(name);
}

/** Parses the text of a configuration file, whose name is for messages. Throws `ERR_CONFIG` with the place; it never shows a value that may be a secret. */
export function parseConfigFile(text: string, name: string): ConfigFile {
  const fail: Fail = (place, problem) => {
    throw new SluiceError('ERR_CONFIG', `${name}: ${place === '' ? 'it' : place} ${problem}`, {
      hint: `Correct ${name}.`,
    });
  };
  const file = asObject(parseJson(text, fail), '', fail);
  checkKeys(file, KEYS, '', name);
  const optional = <T>(key: string, read: (value: unknown, place: string) => T): T | undefined =>
    file.has(key) ? read(file.get(key), key) : undefined;
  const remotes = optional('remotes', (value, place) => asObject(value, place, fail)) ?? new Map<string, unknown>();
  return defined({
    store: optional('store', (value, place) => asName(value, place, fail)),
    defaultRemote: optional('defaultRemote', (value, place) => asName(value, place, fail)),
    remotes: new Map([...remotes].map(([key, value]) => [key, parseRemote(key, value, name, fail)])),
    link: optional('link', (value, place) => parseLink(value, place, fail)),
    durability: optional('durability', (value, place) => asChoice(value, ['batch', 'none'], place, fail)),
    push: optional('push', (value, place) => asChoice<PushWhen>(value, PUSH_WHEN, place, fail)),
    gc: optional('gc', (value, place) => asChoice(value, WHEN, place, fail)),
    hooks: optional('hooks', (value, place) => parseHooks(value, place, name, fail)),
    trust: optional('trust', (value, place) => asChoice<Trust>(value, TRUST, place, fail)),
  });
}

function parseRemote(remote: string, value: unknown, name: string, fail: Fail): RemoteEntry {
  const place = placeOf('remotes', remote);
  if (!isRemoteName(remote)) return fail(place, 'is not a name (letters, digits, ".", "_" and "-")');
  const entry = asObject(value, place, fail);
  checkKeys(entry, REMOTE_KEYS, place, name);
  const optional = <T>(key: string, read: (value: unknown, place: string, fail: Fail) => T): T | undefined =>
    entry.has(key) ? read(entry.get(key), placeOf(place, key), fail) : undefined;
  return defined({
    ...readBucketSettings(entry, place, fail),
    url: optional('url', asName),
    readOnly: optional('readOnly', asFlag),
    concurrency: optional('concurrency', asConcurrency),
    compression: optional('compression', (given, at) => asChoice<Compression>(given, COMPRESSIONS, at, fail)),
    chunking: optional('chunking', asFlag),
    trust: optional('trust', (given, at) => asChoice<Trust>(given, TRUST, at, fail)),
  });
}

function checkKeys(object: ReadonlyMap<string, unknown>, known: readonly string[], place: string, name: string): void {
  for (const key of object.keys()) {
    if (known.includes(key)) continue;
    const where = placeOf(place, key);
    if (CREDENTIALS.test(key)) {
      throw new SluiceError('ERR_CONFIG', `${name}: ${where} looks like a credential`, {
        hint: 'Take it out and, if it was committed, replace it at its issuer: credentials come from the environment or from the profile of the cloud.',
      });
    }
    throw new SluiceError('ERR_CONFIG', `${name}: ${where} is not a setting.${suggestion(key, known)}`, {
      hint: `Known are: ${known.join(', ')}.`,
    });
  }
}

function parseHooks(value: unknown, place: string, name: string, fail: Fail): HookSettings {
  const entry = asObject(value, place, fail);
  checkKeys(entry, ['postCheckout', 'prePush'], place, name);
  const choice = <T extends string>(key: string, choices: readonly T[]): T | undefined =>
    entry.has(key) ? asChoice(entry.get(key), choices, placeOf(place, key), fail) : undefined;
  return defined({
    postCheckout: choice('postCheckout', ['checkout', 'pull']),
    prePush: choice('prePush', ['refuse', 'push']),
  });
}

function parseLink(value: unknown, place: string, fail: Fail): LinkKind[] {
  const kinds = asList(value, place, fail).map((kind) => asChoice<LinkKind>(kind, LINKS, place, fail));
  return kinds.length > 0 ? kinds : fail(place, 'is empty');
}

function asConcurrency(value: unknown, place: string, fail: Fail): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1000
    ? value
    : fail(place, 'is not a whole number from 1 to 1000');
}
