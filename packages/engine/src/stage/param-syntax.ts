import { type Parsed, parseDeclaredPath, type TokenValues } from './declared-path.js';
import type { Param } from './stage.js';

/** The formats of param files, by extension. */
const PARAM_EXTENSIONS = ['yaml', 'yml', 'json', 'toml'] as const;

/** The file and, behind the first colon after an extension, the key. A key may hold colons, and so may what is before the extension. */
const SYNTAX = /^(.*?\.(?:ya?ml|json|toml))(?::(.*))?$/is;

/** Parses `file` or `file:key.path[0]`. */
export function parseDeclaredParam(declared: string, project: TokenValues): Parsed<Param> {
  const match = SYNTAX.exec(declared);
  if (match?.[1] === undefined) {
    return {
      ok: false,
      message: 'names no param file',
      hint: `Write "file" or "file:key.path", where the file ends in .${PARAM_EXTENSIONS.join(', .')}.`,
    };
  }
  const file = parseDeclaredPath(match[1], project);
  if (!file.ok) return file;
  const key = match[2];
  if (key !== undefined && parseKeyPath(key) === undefined) {
    return {
      ok: false,
      message: `has a key that cannot be read: ${JSON.stringify(key)}`,
      hint: 'Write names with dots between them, and [0] for an element of a list: model.layers[0].size.',
    };
  }
  return { ok: true, value: { file: file.value, key } };
}

/** The steps of a key path: names, and numbers for `[0]`; `undefined` when the text is no key path. */
export function parseKeyPath(key: string): readonly (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  for (const piece of key.split('.')) {
    const match = /^([^[\]]*)((?:\[\d{1,9}\])*)$/s.exec(piece);
    if (match === null || piece === '' || (match[1] === '' && steps.length > 0)) return undefined;
    if (match[1] !== undefined && match[1] !== '') steps.push(match[1]);
    for (const [, index] of (match[2] ?? '').matchAll(/\[(\d+)\]/g)) steps.push(Number(index));
  }
  return steps;
}
