import { request } from 'node:http';
import { connect as connectPlain, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HttpProxy, Target } from './proxies.js';
import { proxyDown, proxyRefuses } from './proxy-errors.js';

/** A proxy that takes a connection and says nothing must not hold it for ever. */
const ANSWER_MS = 10_000;

/** A connection to a proxy. Throws `ERR_REMOTE_DOWN`, or `ERR_REMOTE_DENIED` for a certificate that is not trusted. */
export async function connectTo(proxy: HttpProxy): Promise<Socket> {
  const { host, port, isTls } = proxy;
  // An address is no name that a certificate can be asked for by.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls ? connectTls({ host, port, ...name }) : connectPlain({ host, port });
  return await new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(proxyDown(proxy, error));
    };
    const slow = (): void => fail(new Error('no connection in time'));
    socket.once('error', fail);
    socket.setTimeout(ANSWER_MS, slow);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.setTimeout(0, slow);
      socket.off('error', fail);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** A connection to a target through a proxy, by CONNECT. Throws like {@link connectTo}, and what the proxy answers instead. */
export async function openTunnel(proxy: HttpProxy, target: Target): Promise<Socket> {
  const socket = await connectTo(proxy);
  const to = authorityOf(target);
  return await new Promise((resolve, reject) => {
    const asking = request({
      // With a connection of its own it has no agent, which might look for a proxy itself.
      createConnection: () => socket,
      method: 'CONNECT',
      path: to,
      headers: { host: to, ...authorizationOf(proxy) },
      timeout: ANSWER_MS,
    });
    asking.once('connect', ({ statusCode = 0 }, _socket, head) => {
      asking.setTimeout(0);
      socket.setTimeout(0);
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      } else {
        socket.destroy();
        reject(proxyRefuses(proxy, statusCode, to));
      }
    });
    asking.once('timeout', () => asking.destroy(new Error('no answer in time')));
    asking.once('error', (error) => {
      socket.destroy();
      reject(proxyDown(proxy, error));
    });
    asking.end();
  });
}

/** `host:port`, as proxies are asked for it. */
export function authorityOf({ host, port }: Pick<Target, 'host' | 'port'>): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The header with the credentials for a proxy, if there are any. */
export function authorizationOf({ authorization }: HttpProxy): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}
