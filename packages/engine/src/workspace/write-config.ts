import { SluiceError } from '../errors.js';
import { suggestion } from '../util/did-you-mean.js';
import { CONFIG_FILE, LOCAL_CONFIG_FILE } from './config.js';
import { isRemoteName, parseConfigFile, type RemoteEntry } from './config-file.js';
import { isObject, type JsonObject } from './merge-target.js';
import { parseRemoteUrl } from './remote-url.js';
import { diskFiles, type TextFiles } from './text-files.js';

/**
 * Adds a remote to `sluice.json`; the first one becomes the default. Adding what is there already changes nothing.
 * Throws `ERR_USAGE` for a bad name or URL or a name that is taken, `ERR_CONFIG` when the file is broken.
 */
export function addRemote(
  root: string,
  name: string,
  remote: RemoteEntry & { readonly url: string },
  files: TextFiles = diskFiles(root),
): void {
  if (!isRemoteName(name))
    throw usage(`${JSON.stringify(name)} cannot be the name of a remote`, 'Use letters, digits, ".", "_" and "-".');
  const parsed = parseRemoteUrl(root, remote.url);
  if (!parsed.ok) throw usage(`the URL of remote ${name} ${parsed.problem}`, parsed.hint);
  edit(files, (config) => {
    const remotes = remotesOf(config);
    const present = Object.hasOwn(remotes, name) ? remotes[name] : undefined;
    if (isObject(present)) {
      if (sameEntries(present, remote)) return config;
      throw usage(
        `a remote ${name} exists already`,
        `Choose another name, or remove it first: sluice remote remove ${name}`,
      );
    }
    const isFirst = Object.keys(remotes).length === 0 && config.defaultRemote === undefined;
    return {
      ...config,
      ...(isFirst ? { defaultRemote: name } : {}),
      remotes: { ...remotes, [name]: withoutUndefined(remote) },
    };
  });
}

/** Removes a remote from `sluice.json`, and the default with it if it is that. Nothing on the remote changes. Throws `ERR_REMOTE_UNKNOWN`. */
export function removeRemote(root: string, name: string): void {
  edit(diskFiles(root), (config) => {
    const remotes = remotesOf(config);
    mustExist(remotes, name);
    const kept = Object.fromEntries(
      Object.entries(config).filter(([key]) => key !== 'defaultRemote' || config.defaultRemote !== name),
    );
    return { ...kept, remotes: Object.fromEntries(Object.entries(remotes).filter(([key]) => key !== name)) };
  });
}

/** Makes a remote of `sluice.json` the default. Throws `ERR_REMOTE_UNKNOWN`. */
export function setDefaultRemote(root: string, name: string, files: TextFiles = diskFiles(root)): void {
  edit(files, (config) => {
    mustExist(remotesOf(config), name);
    return { ...config, defaultRemote: name };
  });
}

/** Keeps what it does not change, in its order. The file is replaced at once, and only by one that can be read. */
function edit(files: TextFiles, change: (config: JsonObject) => JsonObject): void {
  const text = files.read(CONFIG_FILE);
  if (text !== undefined) parseConfigFile(text, CONFIG_FILE);
  const config: unknown = JSON.parse(text ?? '{}');
  if (!isObject(config)) return;
  const changed = change(config);
  if (changed === config) return;
  const written = `${JSON.stringify(changed, null, 2)}\n`;
  parseConfigFile(written, CONFIG_FILE);
  files.write(CONFIG_FILE, written);
}

function remotesOf(config: JsonObject): JsonObject {
  return isObject(config.remotes) ? config.remotes : {};
}

function mustExist(remotes: JsonObject, name: string): void {
  if (Object.hasOwn(remotes, name)) return;
  throw new SluiceError(
    'ERR_REMOTE_UNKNOWN',
    `${CONFIG_FILE} has no remote ${JSON.stringify(name)}.${suggestion(name, Object.keys(remotes))}`,
    {
      hint: `A remote of ${LOCAL_CONFIG_FILE} is changed there by hand. \`sluice remote list\` shows all.`,
    },
  );
}

function sameEntries(a: JsonObject, b: RemoteEntry): boolean {
  const sorted = (entry: object): string => JSON.stringify(Object.entries(entry).sort());
  return sorted(a) === sorted(withoutUndefined(b));
}

function withoutUndefined(remote: RemoteEntry): JsonObject {
  return Object.fromEntries(Object.entries(remote).filter(([, value]) => value !== undefined));
}

function usage(message: string, hint: string): SluiceError {
  return new SluiceError('ERR_USAGE', message, { hint });
}
