import { down } from './cache-errors.js';
import type { CacheHttp } from './cache-http.js';
import { urlOf } from './cache-json.js';
import type { FoundEntry } from './cache-service.js';

/**
 * An entry that a service found, if it is one that was asked for. Services match by prefix and take what is newest, so what they found may be of another key. Throws `ERR_REMOTE_DOWN` if it does not
 * say where the entry is.
 */
export function foundEntry(
  http: CacheHttp,
  asked: { readonly key: string; readonly how: 'exact' | 'newest' },
  found: { readonly key: string; readonly url: string },
): FoundEntry | undefined {
  const url = urlOf(found.url);
  if (url === undefined) throw down(http.place, 'found an entry and does not say where');
  const fits = asked.how === 'exact' ? found.key === asked.key : found.key.startsWith(asked.key);
  return fits ? { key: found.key, url } : undefined;
}
