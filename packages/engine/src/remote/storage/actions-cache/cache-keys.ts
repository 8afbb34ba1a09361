import { createHash } from 'node:crypto';

/*
 * Every key of Sluice in a cache service. All have one length for their kind, so that none begins another:
 *
 *     sluice-1-i-<16 hex of the scope>-<10 digits>     an index: what lies where, the latest of its scope is the one that counts
 *     sluice-1-d-<32 hex>                              data, by a random name
 */

const DIGITS = 10;
const LAST = 10 ** DIGITS - 1;

/** The version of all entries; entries of others are not seen. */
export const CACHE_VERSION: string = createHash('sha256').update('sluice actions-cache 1').digest('hex');

/** The key of an index; `undefined` behind the last number there is. */
export function indexKey(scope: string, generation: number): string | undefined {
  return generation > LAST ? undefined : `${indexPrefix(scope)}${String(generation).padStart(DIGITS, '0')}`;
}

/** What the keys of all indexes of a scope begin with. */
export function indexPrefix(scope: string): string {
  return `sluice-1-i-${scope}-`;
}

/** The number of an index; `undefined` for any other key. */
export function generationOf(scope: string, key: string): number | undefined {
  const digits = key.startsWith(indexPrefix(scope)) ? key.slice(indexPrefix(scope).length) : '';
  return digits.length === DIGITS && /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** `name`: 32 hex digits. */
export function dataKey(name: string): string {
  return `sluice-1-d-${name}`;
}
