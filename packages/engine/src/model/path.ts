import { SluiceError } from '../errors.js';

declare const relPathBrand: unique symbol;

/** A relative POSIX path without empty, `.` or `..` segments; `''` is the root itself. Made only by the functions of this file. */
export type RelPath = string & { readonly [relPathBrand]: true };

/** The root of whatever a path is relative to. */
export const ROOT = '' as RelPath;

/** Why `name` cannot be one segment of a path, or `undefined` when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return `is ${JSON.stringify(name)}`;
  if (name.includes('/')) return 'holds a slash';
  if (name.includes('\0')) return 'holds a NUL';
  if (!name.isWellFormed()) return 'is not well-formed Unicode';
  return undefined;
}

/** Parses a relative path; returns `undefined` if it is absolute, escapes, or has an illegal segment. A trailing slash is not allowed. */
export function tryParseRelPath(text: string): RelPath | undefined {
  if (text === '') return ROOT;
  for (const segment of text.split('/')) if (nameProblem(segment) !== undefined) return undefined;
  return text as RelPath;
}

/** Like {@link tryParseRelPath} for paths from a store, a remote or a lock. Throws `ERR_PATH_UNSAFE`. */
export function parseRelPath(text: string): RelPath {
  const path = tryParseRelPath(text);
  if (path === undefined) throw new SluiceError('ERR_PATH_UNSAFE', `not a safe relative path: ${JSON.stringify(text)}`);
  return path;
}

/** `a/b` from `a` and `b`; either may be the root. */
export function joinRelPath(base: RelPath, below: RelPath | string): RelPath {
  if (base === '') return parseRelPath(below);
  return below === '' ? base : parseRelPath(`${base}/${below}`);
}

/** Whether `path` is `base` or lies below it. */
export function isWithin(path: RelPath, base: RelPath): boolean {
  return base === '' || path === base || path.startsWith(`${base}/`);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Orders two strings by their UTF-8 bytes. UTF-16 order differs only where a surrogate is met. */
export function compareUtf8(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts strings in place by their UTF-8 bytes and returns them. */
export function sortUtf8(names: string[]): string[] {
  return names.some((name) => SURROGATE.test(name)) ? names.sort(compareUtf8) : names.sort();
}
