import type { Fetch } from './fetch-port.js';
import { type Proxies, readProxies } from './proxies.js';

/** A `fetch` that goes through the proxies of an environment, which that of Node does not do by itself. Without any it is that of Node, and nothing is loaded. */
export function fetchFor(env: Readonly<Record<string, string | undefined>>): Fetch {
  const proxies = readProxies(env);
  return proxies === undefined ? fetch : fetchThrough(proxies);
}

function fetchThrough(proxies: Proxies): Fetch {
  let loading: Promise<Fetch> | undefined;
  return async (url, init) => {
    loading ??= import('./fetch-by-proxy.js').then(({ fetchByProxy }) => fetchByProxy(proxies));
    return (await loading)(url, init);
  };
}
