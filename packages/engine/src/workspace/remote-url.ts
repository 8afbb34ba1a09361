import { isAbsolute, resolve } from 'node:path';
import { SluiceError } from '../errors.js';

/** Where a remote lies. Only directories can be used by this version; the other kinds are known so that a configuration may name them. */
export type RemoteLocation =
  | { readonly kind: 'file'; readonly dir: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'actions-cache' }
  | { readonly kind: 'https'; readonly url: string };

/** A location, or what is wrong with the text and what to do about it. */
export type ParsedRemoteUrl =
  | { readonly ok: true; readonly location: RemoteLocation }
  | { readonly ok: false; readonly problem: string; readonly hint: string };

/**
 * Parses `file:///abs/dir` (percent-encoded), `file:relative/dir` (from the workspace root, taken as it is), `s3://bucket/prefix`,
 * `actions-cache:` and `https://host/path`. A problem never repeats the text, which may hold a password.
 */
export function parseRemoteUrl(root: string, text: string): ParsedRemoteUrl {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+-]*):(.*)$/s.exec(text) ?? [];
  if (/^\/\/[^/]*@/.test(rest))
    return wrong(
      'holds a user name or password',
      'Take it out: credentials come from the environment or from the profile of the cloud.',
    );
  switch (scheme) {
    case 'file':
      return parseFile(root, rest);
    case 's3':
      return parseS3(rest);
    case 'actions-cache':
      return rest === ''
        ? right({ kind: 'actions-cache' })
        : wrong('says more than "actions-cache:"', 'Write "actions-cache:".');
    case 'https':
      return URL.canParse(text)
        ? right({ kind: 'https', url: text })
        : wrong('is not a URL', 'Write https://host/path.');
    default:
      return wrong(
        'begins with no known scheme',
        'Write file:///absolute/dir, file:relative/dir, s3://bucket/prefix, actions-cache: or https://host/path.',
      );
  }
}

/** The directory of a remote that is one. Throws `ERR_CONFIG` for the kinds that this version cannot use. */
export function directoryOf(remote: {
  readonly name: string;
  readonly url: string;
  readonly location: RemoteLocation;
}): string {
  if (remote.location.kind === 'file') return remote.location.dir;
  throw new SluiceError(
    'ERR_CONFIG',
    `remote ${remote.name} (${remote.url}): this version of Sluice cannot use ${remote.location.kind} remotes`,
    {
      hint: 'Use a directory, for example file:///mnt/share/data, or update Sluice.',
    },
  );
}

function parseFile(root: string, rest: string): ParsedRemoteUrl {
  if (!rest.startsWith('//'))
    return rest === ''
      ? wrong('names no directory', 'Write file:///absolute/dir or file:relative/dir.')
      : right({ kind: 'file', dir: resolve(root, rest) });
  const path = decode(rest.slice(2));
  if (path === undefined) return wrong('holds a "%" that begins no character', 'Write "%25" for a "%".');
  if (!isAbsolute(path))
    return wrong('names a host', 'Write file:///absolute/dir with three slashes, or file:relative/dir with none.');
  return right({ kind: 'file', dir: resolve(path) });
}

function parseS3(rest: string): ParsedRemoteUrl {
  const [, bucket, prefix = ''] = /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(rest) ?? [];
  if (bucket === undefined) return wrong('names no bucket', 'Write s3://bucket/prefix.');
  return right({ kind: 's3', bucket, prefix: prefix.replace(/\/+$/, '') });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function right(location: RemoteLocation): ParsedRemoteUrl {
  return { ok: true, location };
}

function wrong(problem: string, hint: string): ParsedRemoteUrl {
  return { ok: false, problem, hint };
}
