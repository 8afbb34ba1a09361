import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { Fetch, FetchInit } from './fetch-port.js';
import { withoutBrackets } from './no-proxy.js';
import { type HttpProxy, type Proxies, targetOf } from './proxies.js';
import { forProxy, PlainAgent, TunnelAgent } from './proxy-agents.js';
import { proxyRefuses } from './proxy-errors.js';
import { authorityOf } from './tunnel.js';

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 20;
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

interface Agents {
  readonly http: PlainAgent;
  readonly https: TunnelAgent;
}

/** A {@link Fetch} that asks for each URL, that of a redirect too, through the proxy that is on the way to it. Throws what connecting to a proxy throws, and what it refuses. */
export function fetchByProxy(proxies: Proxies): Fetch {
  const options = { keepAlive: true, scheduling: 'lifo' } as const;
  const agents = { http: new PlainAgent(proxies, options), https: new TunnelAgent(proxies, options) };
  return async (address, init) => {
    let url = new URL(address);
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const proxy = proxies.proxyFor(targetOf(url));
      const answer =
        proxy === undefined
          ? await fetch(url, { ...init, redirect: 'manual' })
          : await askThrough(proxy, agents, url, init);
      if (init.redirect === 'manual' || !REDIRECTS.includes(answer.status)) return answer;
      await answer.body?.cancel();
      const to = answer.headers.get('location');
      if (init.redirect === 'error' || init.body !== undefined || to === null) throw new Error('unexpected redirect');
      url = new URL(to, url);
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects`);
  };
}

function askThrough(proxy: HttpProxy, agents: Agents, url: URL, init: FetchInit): Promise<Response> {
  const target = targetOf(url);
  const isTls = target.protocol === 'https:';
  const path = `${url.pathname}${url.search}`;
  const written = isTls ? { path, headers: {} } : forProxy(proxy, target, path);
  return new Promise((resolve, reject) => {
    const asking = (isTls ? requestHttps : requestHttp)({
      host: withoutBrackets(target.host),
      port: target.port,
      method: init.method ?? 'GET',
      path: written.path,
      headers: { host: url.host, ...init.headers, ...written.headers },
      agent: isTls ? agents.https : agents.http,
      signal: init.signal,
    });
    asking.once('error', reject);
    asking.once('response', (answer) => {
      if (!isTls && answer.statusCode === 407) {
        answer.destroy();
        reject(proxyRefuses(proxy, 407, authorityOf(target)));
      } else resolve(responseOf(answer));
    });
    asking.end(init.body);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(answer.headersDistinct))
    for (const value of values) headers.append(name, value);
  const status = answer.statusCode ?? 0;
  const isEmpty = WITHOUT_BODY.includes(status);
  if (isEmpty) answer.resume();
  return new Response(isEmpty ? null : Readable.toWeb(answer), { status, headers });
}
