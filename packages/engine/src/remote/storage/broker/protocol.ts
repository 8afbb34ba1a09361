import { ERRORS, type ErrorCode, SluiceError } from '../../../errors.js';

/*
 * A storage over HTTP on a unix socket. Each request has `authorization: Bearer <token>`; `<remote>` is the name of a remote, percent-encoded.
 *
 *     HEAD /<remote>/<key>                                      200, `x-size`      404
 *     GET  /<remote>/<key>   `x-offset`, `x-length`             200, the bytes     404
 *     PUT  /<remote>/<key>   `content-length`, `if-none-match`  201                412 it exists
 *     POST /<remote>                                            204: what was put can be seen by others
 *
 * A failure is any other status; `x-error` says which: an error document, percent-encoded, since an answer to HEAD has no body.
 */

export const SIZE = 'x-size';
export const OFFSET = 'x-offset';
export const LENGTH = 'x-length';

export const ERROR = 'x-error';

/** A larger part is not asked for, and not given: it would have to be held in memory. */
export const LONGEST_RANGE: number = 256 * 1024 * 1024;

/** The path of a request. */
export function pathOf(remote: string, key?: string): string {
  return `/${encodeURIComponent(remote)}${key === undefined ? '' : `/${key}`}`;
}

/** What a path names. `undefined` for anything that {@link pathOf} does not make. */
export function parsePath(path: string): { readonly remote: string; readonly key: string | undefined } | undefined {
  const [, name, key] = /^\/([^/?#]+)(?:\/([^?#]+))?$/.exec(path) ?? [];
  if (name === undefined) return undefined;
  try {
    return { remote: decodeURIComponent(name), key };
  } catch {
    return undefined;
  }
}

/** Headers hold some kilobytes. */
const LONGEST_MESSAGE = 1000;

/** An error as a header. */
export function printError({ code, message, hint }: SluiceError): string {
  return encodeURIComponent(JSON.stringify({ code, message: message.slice(0, LONGEST_MESSAGE), hint }));
}

/** The error of a header; `undefined` if there is none that is known here. */
export function parseError(header: string | string[] | undefined): SluiceError | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(decodeURIComponent(header));
    if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) return undefined;
    const { code, message } = value;
    if (typeof code !== 'string' || !isErrorCode(code) || typeof message !== 'string') return undefined;
    return new SluiceError(
      code,
      message,
      'hint' in value && typeof value.hint === 'string' ? { hint: value.hint } : {},
    );
  } catch {
    return undefined;
  }
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}
