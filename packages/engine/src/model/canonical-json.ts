import { sortUtf8 } from './path.js';

/**
 * A value as canonical JSON: keys sorted by UTF-8 bytes, no spaces, numbers as JavaScript prints them. What JSON has no form for
 * gets one that no JSON value has, so that it stays distinct: `NaN`, `Infinity`, `-Infinity`. Big integers are printed in full,
 * dates as ISO texts, bytes as base64 texts, and what is absent as `null`.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      // -0 and 0 are the same value to whoever compares params.
      return Object.is(value, -0) ? '0' : String(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? 'null' : canonicalObject(value);
    default:
      return 'null';
  }
}

function canonicalObject(value: object): string {
  if (value instanceof Date)
    return JSON.stringify(Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString());
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = new Map<string, unknown>(Object.entries(value));
  const members = sortUtf8([...entries.keys()]).map(
    (key) => `${JSON.stringify(key)}:${canonicalJson(entries.get(key))}`,
  );
  return `{${members.join(',')}}`;
}
