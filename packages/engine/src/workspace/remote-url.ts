import { isAbsolute, resolve } from 'node:path';
import { SluiceError } from '../errors.js';

/** Where a remote lies. Servers cannot be used by this version; they are known so that a configuration may name them. */
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

/** Whether what lies there may be taken away at any time, so that it never counts as a safe copy. */
export function evicts({ kind }: RemoteLocation): boolean {
  return kind === 'actions-cache';
}

/** A location that this version can use. */
export type UsableLocation = Exclude<RemoteLocation, { readonly kind: 'https' }>;

/** Whether this version can use a location. */
export function isUsable(location: RemoteLocation): location is UsableLocation {
  return location.kind !== 'https';
}

/** The location of a remote. Throws `ERR_CONFIG` for the kinds that this version cannot use. */
export function usableLocation(remote: {
  readonly name: string;
  readonly url: string;
  readonly location: RemoteLocation;
}): UsableLocation {
  if (isUsable(remote.location)) return remote.location;
  throw new SluiceError(
    'ERR_CONFIG',
    `remote ${remote.name} (${remote.url}): this version of Sluice cannot use ${remote.location.kind} remotes`,
    {
      hint: 'Use a directory or a bucket, for example file:///mnt/share/data or s3://bucket/prefix, or update Sluice.',
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

/** Of a prefix: what needs no escape in a URL and is no step to another directory. */
const SEGMENT = /^(?!\.+$)[\w.=-]{1,255}$/;

function parseS3(rest: string): ParsedRemoteUrl {
  const [, bucket, prefix = ''] = /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(rest) ?? [];
  if (bucket === undefined) {
    if (/^\/*$/.test(rest)) return wrong('names no bucket', 'Write s3://bucket/prefix.');
    return wrong(
      'has a name that no bucket can have',
      'Write s3://bucket/prefix, the bucket with 3 to 63 small letters, digits, "-" and ".".',
    );
  }
  const trimmed = prefix.replace(/\/+$/, '');
  if (trimmed !== '' && !trimmed.split('/').every((segment) => SEGMENT.test(segment)))
    return wrong(
      'has a prefix that not every service keeps as it is',
      'Use letters, digits, "_", "-", "." and "=" between single slashes, and no segment of dots.',
    );
  return right({ kind: 's3', bucket, prefix: trimmed });
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
