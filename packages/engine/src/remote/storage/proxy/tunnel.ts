import { request } from 'node:http';
import { connect as connectPlain, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HttpProxy, Target } from './proxies.js';
import { proxyDown, proxyRefuses } from './proxy-errors.js';

/** A proxy that takes a connection and says nothing must not hold it for ever. */
const ANSWER_MS = 10_000;
/** Nothing tells an agent that a request was given up before it had a connection, so it has to look. */
const LOOK_MS = 100;

/** A connection to a proxy, as long as somebody wants it. Throws `ERR_REMOTE_DOWN`, or `ERR_REMOTE_DENIED` for a certificate that is not trusted. */
export async function connectTo(proxy: HttpProxy, isWanted: () => boolean): Promise<Socket> {
  const { host, port, isTls } = proxy;
  // An address is no name that a certificate can be asked for by.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls ? connectTls({ host, port, ...name }) : connectPlain({ host, port });
  return await opening(proxy, socket, isWanted, (done) => {
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.setNoDelay(true);
      done();
    });
  });
}

/** A connection to a target through a proxy, by CONNECT. Throws like {@link connectTo}, and what the proxy answers instead. */
export async function openTunnel(proxy: HttpProxy, target: Target, isWanted: () => boolean): Promise<Socket> {
  const socket = await connectTo(proxy, isWanted);
  const to = authorityOf(target);
  return await opening(proxy, socket, isWanted, (done, fail) => {
    const asking = request({
      // With a connection of its own it has no agent, which might look for a proxy itself.
      createConnection: () => socket,
      method: 'CONNECT',
      path: to,
      headers: { host: to, ...authorizationOf(proxy) },
    });
    asking.once('connect', ({ statusCode = 0 }, _socket, head) => {
      if (head.length > 0) socket.unshift(head);
      if (statusCode >= 200 && statusCode < 300) done();
      else fail(proxyRefuses(proxy, statusCode, to));
    });
    asking.once('error', (error) => fail(proxyDown(proxy, error)));
    asking.end();
  });
}

/** Gives the socket when a step of its opening is done, and destroys it when the step fails, takes too long, or is of no use to anybody any more. */
function opening(
  proxy: HttpProxy,
  socket: Socket,
  isWanted: () => boolean,
  step: (done: () => void, fail: (error: Error) => void) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const beganMs = performance.now();
    const end = (): void => {
      clearInterval(timer);
      socket.off('error', broken);
    };
    const fail = (error: Error): void => {
      end();
      // What comes after the first error says nothing new, and must not end the process.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const broken = (error: Error): void => fail(proxyDown(proxy, error));
    const timer = setInterval(() => {
      if (!isWanted()) broken(new Error('it is not waited for any more'));
      else if (performance.now() - beganMs > ANSWER_MS) broken(new Error('it says nothing'));
    }, LOOK_MS);
    socket.on('error', broken);
    step(() => {
      end();
      resolve(socket);
    }, fail);
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
