import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { canonicalJson } from '../model/canonical-json.js';
import { digestOf } from '../model/digest.js';
import type { Part } from '../model/parts.js';
import type { RelPath } from '../model/path.js';
import { suggestion } from '../util/did-you-mean.js';
import { parseParamText } from './param-file.js';
import { parseKeyPath } from './param-syntax.js';
import type { Param } from './stage.js';

/** A longer value counts by its digest, so that locks stay readable. */
const LONGEST_VALUE = 200;

/**
 * The part of a param: of a key its value in canonical JSON, of a whole file the digest of its value, so that comments, spaces and the order of
 * keys do not count. `value` is what the file holds. Throws `ERR_PARAM` with the key.
 */
export function paramPart(param: Param, value: unknown): Part {
  const { file, key } = param;
  const name = paramName(param);
  if (key === undefined) return { kind: 'param', name, value: digestOf(canonical(value, file)) };
  const text = canonical(lookUp(value, file, key), file);
  return { kind: 'param', name, value: text.length > LONGEST_VALUE ? digestOf(text) : text };
}

/** The name of a param's part: `FILE` or `FILE:KEY`. */
export function paramName({ file, key }: Param): string {
  return key === undefined ? file : `${file}:${key}`;
}

/** What the bytes of a param file hold. Throws `ERR_PARAM` with the line. */
export async function paramValue(file: RelPath, bytes: Buffer): Promise<unknown> {
  return parseParamText(file, decode(bytes, file));
}

/** The bytes of a param file in the workspace at `root`. Throws `ERR_PARAM`. */
export async function readParamFile(root: string, file: RelPath): Promise<Buffer> {
  try {
    return await readFile(join(root, file));
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw paramError(`param file ${file} does not exist`, 'Create it, or correct "params".', error);
    if (code === 'EISDIR') throw paramError(`param file ${file} is a directory`, 'Name a file in "params".', error);
    throw paramError(`param file ${file} cannot be read: ${code ?? String(error)}`, 'Check its permissions.', error);
  }
}

function decode(bytes: Buffer, file: RelPath): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw paramError(`param file ${file} is not UTF-8 text`, 'Save it as UTF-8.', error);
  }
}

function lookUp(value: unknown, file: RelPath, key: string): unknown {
  let at = value;
  let path = '';
  for (const step of parseKeyPath(key) ?? []) {
    const next = child(at, step);
    if (next === undefined) throw missingKey(file, key, at, path, step);
    at = next.value;
    path += typeof step === 'number' ? `[${step}]` : `${path === '' ? '' : '.'}${step}`;
  }
  return at;
}

function child(value: unknown, step: string | number): { readonly value: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const index = typeof step === 'number' ? step : /^\d{1,9}$/.test(step) ? Number(step) : -1;
    return index >= 0 && index < value.length ? { value: value[index] } : undefined;
  }
  // Own entries only: keys such as `constructor` are ordinary.
  const entry = Object.entries(value).find(([name]) => name === String(step));
  return entry === undefined ? undefined : { value: entry[1] };
}

function missingKey(file: RelPath, key: string, value: unknown, path: string, step: string | number): SluiceError {
  const where = path === '' ? 'the file' : JSON.stringify(path);
  const message = `param file ${file} has no key ${JSON.stringify(key)}`;
  if (Array.isArray(value))
    return paramError(message, `In ${where} is a list of ${value.length}: write [0] to [${value.length - 1}].`);
  if (typeof value !== 'object' || value === null)
    return paramError(message, `In ${where} is ${canonical(value, file).slice(0, 60)}.`);
  const names = Object.keys(value);
  const more = names.length > 12 ? `, and ${names.length - 12} more` : '';
  const known =
    names.length === 0 ? `In ${where} are no keys.` : `In ${where} are: ${names.slice(0, 12).join(', ')}${more}.`;
  return paramError(`${message}.${suggestion(String(step), names)}`, known);
}

/** A YAML alias may make a value hold itself, and no fingerprint can be made of that. */
function canonical(value: unknown, file: RelPath): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw paramError(
      `param file ${file} holds a value that nests without end`,
      'Remove aliases that lie inside what they stand for.',
      error,
    );
  }
}

function paramError(message: string, hint: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_PARAM', message, { hint, cause });
}
