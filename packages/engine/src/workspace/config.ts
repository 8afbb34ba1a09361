import { join, resolve } from 'node:path';
import { SluiceError } from '../errors.js';
import { isArea } from '../model/record.js';
import type { Durability } from '../store/durable.js';
import { suggestion } from '../util/did-you-mean.js';
import { readIfPresent } from '../util/read-if-present.js';
import {
  type ConfigFile,
  type HookSettings,
  type PushWhen,
  parseConfigFile,
  type RemoteEntry,
  TRUST,
  type Trust,
  type When,
} from './config-file.js';
import type { LinkKind } from './place-batch.js';
import { isUsable, parseRemoteUrl, type RemoteLocation } from './remote-url.js';

/** The committed configuration. */
export const CONFIG_FILE = 'sluice.json';

/** What is laid over it on one machine; git-ignored. */
export const LOCAL_CONFIG_FILE = 'sluice.local.json';

/** A remote with all its settings. */
export interface RemoteConfig extends RemoteEntry {
  readonly name: string;
  readonly url: string;
  readonly location: RemoteLocation;
  readonly readOnly: boolean;
}

/** The configuration of a workspace: both files, then the environment, then what holds without them. */
export interface Config {
  /** Absolute path. */
  readonly store: string;
  /** A name; whether such a remote exists is known when it is used. */
  readonly defaultRemote: string | undefined;
  /** By name, in the order of `sluice.json`, then of `sluice.local.json`: that is the order in which they are read. */
  readonly remotes: ReadonlyMap<string, RemoteConfig>;
  readonly link: readonly LinkKind[];
  readonly durability: Durability;
  readonly push: PushWhen;
  readonly gc: When;
  readonly hooks: HookSettings;
  /** Of all remotes; one of them may ask for more by itself. */
  readonly trust: Trust;
  /** From `SLUICE_AREA`: a trust area to write in, if it is lower than the one that is decided otherwise. */
  readonly area: string | undefined;
  readonly offline: boolean;
}

/** The environment that settings are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `sluice.json` and `sluice.local.json` of a workspace; both may be absent. `SLUICE_STORE`, `SLUICE_REMOTE`, `SLUICE_AREA` and
 * `SLUICE_OFFLINE` outrank them; `trust` is `strict` if one of them, or `SLUICE_TRUST`, says so. Throws `ERR_CONFIG` with file and place.
 */
export function readConfig(root: string, env: Environment): Config {
  const shared = readFile(root, CONFIG_FILE);
  const local = readFile(root, LOCAL_CONFIG_FILE);
  const merged = { ...shared, ...local };
  const asked = askedRemote(root, env.SLUICE_REMOTE);
  const names = [...new Set([...shared.remotes.keys(), ...local.remotes.keys()])];
  return {
    store: resolve(root, env.SLUICE_STORE || merged.store || '.sluice'),
    ...withAsked(
      new Map(names.map((name) => [name, toRemote(root, name, shared, local)])),
      asked ?? merged.defaultRemote,
    ),
    link: merged.link ?? ['reflink', 'copy'],
    durability: merged.durability ?? 'batch',
    push: merged.push ?? 'manual',
    gc: merged.gc ?? 'manual',
    hooks: { ...shared.hooks, ...local.hooks },
    trust: strictest(shared.trust, local.trust, readTrust(env.SLUICE_TRUST)),
    area: readArea(env.SLUICE_AREA),
    offline: readFlag('SLUICE_OFFLINE', env.SLUICE_OFFLINE),
  };
}

/** The remote with this name, or the default one. Throws `ERR_REMOTE_UNKNOWN`. */
export function remoteNamed(config: Config, name: string | undefined = config.defaultRemote): RemoteConfig {
  if (name === undefined) {
    throw new SluiceError('ERR_REMOTE_UNKNOWN', 'no default remote is configured', {
      hint:
        config.remotes.size === 0
          ? 'Add one: sluice remote add main file:///mnt/share/data'
          : `Choose one: sluice remote default ${[...config.remotes.keys()].join(' | ')}`,
    });
  }
  const remote = config.remotes.get(name);
  if (remote !== undefined) return remote;
  throw new SluiceError(
    'ERR_REMOTE_UNKNOWN',
    `no remote is named ${JSON.stringify(name)}.${suggestion(name, config.remotes.keys())}`,
    {
      hint:
        config.remotes.size === 0
          ? `Add it: sluice remote add ${name} URL`
          : `Configured are: ${[...config.remotes.keys()].join(', ')}.`,
    },
  );
}

/**
 * Names of the remotes that may have what belongs on one of them, in the order in which they are asked: that one, the default one, then the others as the files
 * name them, without those that this version cannot use. Whether the first two exist is known when they are opened.
 */
export function readingOrder(config: Config, first: string | undefined): string[] {
  const others = [...config.remotes.values()].filter(({ location }) => isUsable(location));
  const named = [first, config.defaultRemote].flatMap((name) => name ?? []);
  return [...new Set([...named, ...others.map(({ name }) => name)])];
}

function readFile(root: string, name: string): ConfigFile {
  const text = readIfPresent(join(root, name));
  return text === undefined ? { remotes: new Map() } : parseConfigFile(text, name);
}

function toRemote(root: string, name: string, shared: ConfigFile, local: ConfigFile): RemoteConfig {
  const trust = strictest(shared.remotes.get(name)?.trust, local.remotes.get(name)?.trust);
  const entry: RemoteEntry = { ...shared.remotes.get(name), ...local.remotes.get(name), trust };
  const file = local.remotes.get(name)?.url === undefined ? CONFIG_FILE : LOCAL_CONFIG_FILE;
  if (entry.url === undefined) {
    const places = shared.remotes.has(name)
      ? CONFIG_FILE
      : `${LOCAL_CONFIG_FILE} (and no remote of ${CONFIG_FILE} has this name)`;
    throw new SluiceError('ERR_CONFIG', `remotes.${name} has no url in ${places}`, {
      hint: `Add "url", or correct the name.${suggestion(name, shared.remotes.keys())}`,
    });
  }
  const parsed = parseRemoteUrl(root, entry.url);
  if (!parsed.ok)
    throw new SluiceError('ERR_CONFIG', `${file}: remotes.${name}.url ${parsed.problem}`, { hint: parsed.hint });
  return { ...entry, name, url: entry.url, location: parsed.location, readOnly: entry.readOnly ?? false };
}

/** Of a remote that only `SLUICE_REMOTE` names, by its URL. */
const FROM_ENVIRONMENT = 'environment';

/** What `SLUICE_REMOTE` names: a remote of the configuration, or a URL, which needs none. */
function askedRemote(root: string, text: string | undefined): string | RemoteConfig | undefined {
  if (text === undefined || text === '' || !text.includes(':')) return text || undefined;
  const parsed = parseRemoteUrl(root, text);
  if (parsed.ok) return { name: FROM_ENVIRONMENT, url: text, location: parsed.location, readOnly: false };
  throw new SluiceError('ERR_CONFIG', `SLUICE_REMOTE ${parsed.problem}`, { hint: parsed.hint });
}

/** A URL that the configuration has already means that remote, with all its settings. */
function withAsked(
  remotes: ReadonlyMap<string, RemoteConfig>,
  asked: string | RemoteConfig | undefined,
): Pick<Config, 'remotes' | 'defaultRemote'> {
  if (typeof asked !== 'object') return { remotes, defaultRemote: asked };
  const known = [...remotes.values()].find(({ url }) => url === asked.url);
  if (known !== undefined) return { remotes, defaultRemote: known.name };
  return { remotes: new Map([...remotes, [asked.name, asked]]), defaultRemote: asked.name };
}

function readArea(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || isArea(text)) return text || undefined;
  throw new SluiceError('ERR_CONFIG', `SLUICE_AREA is ${JSON.stringify(text)}`, {
    hint: 'Set it to trusted, shared or pr/<number>.',
  });
}

/** `strict` if anybody asks for it: nobody can ask for less. */
export function strictest(...asked: readonly (Trust | undefined)[]): Trust {
  return asked.includes('strict') ? 'strict' : 'areas';
}

function readTrust(text: string | undefined): Trust | undefined {
  const trust = TRUST.find((word) => word === text);
  if (trust !== undefined || text === undefined || text === '') return trust;
  throw new SluiceError('ERR_CONFIG', `SLUICE_TRUST is ${JSON.stringify(text)}`, {
    hint: `Set it to ${TRUST.join(' or ')}.`,
  });
}

/** A variable that is on or off. Throws `ERR_CONFIG`. */
export function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || ['', '0', 'false'].includes(text)) return false;
  if (['1', 'true'].includes(text)) return true;
  throw new SluiceError('ERR_CONFIG', `${name} is ${JSON.stringify(text)}`, { hint: `Set ${name}=1, or nothing.` });
}
