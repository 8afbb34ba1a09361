import {
  type ClientRequest,
  type ClientRequestArgs,
  Agent as HttpAgent,
  type AgentOptions as HttpAgentOptions,
} from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { Duplex } from 'node:stream';
import { asSluiceError } from '../../../errors.js';
import type { HttpProxy, Proxies, Target } from './proxies.js';
import { authorityOf, authorizationOf, connectTo, openTunnel } from './tunnel.js';

/** Node must not look for a proxy where one was looked for already. */
const NOT_BY_NODE = { proxyEnv: null };

type Connected = (error: Error | null, stream: Duplex) => void;

/** Reaches servers with TLS through tunnels, or straight where no proxy is on the way. Connections are kept as by any agent. */
export class TunnelAgent extends HttpsAgent {
  /** See {@link createSocketFor}. */
  readonly createSocket: typeof createSocketFor = createSocketFor;
  private readonly proxies: Proxies;

  constructor(proxies: Proxies, options: AgentOptions) {
    super({ ...options, ...NOT_BY_NODE });
    this.proxies = proxies;
  }

  override createConnection(options: RequestOptions & ForRequest, callback?: Connected): Duplex | null | undefined {
    const target = targetIn(options, 'https:');
    const proxy = this.proxies.proxyFor(target);
    if (proxy === undefined) return super.createConnection(options, callback);
    const connect = (socket: Duplex): Duplex =>
      super.createConnection({ ...options, ...{ socket } }) ?? socket.destroy(new Error('no TLS'));
    return later(openTunnel(proxy, target, wantedBy(options)).then(connect), callback);
  }
}

/** Brings requests without TLS to their proxy, or straight where none is on the way. For a proxy a request has to be written as {@link forProxy} says. */
export class PlainAgent extends HttpAgent {
  /** See {@link createSocketFor}. */
  readonly createSocket: typeof createSocketFor = createSocketFor;
  private readonly proxies: Proxies;

  constructor(proxies: Proxies, options: HttpAgentOptions) {
    super({ ...options, ...NOT_BY_NODE });
    this.proxies = proxies;
  }

  override createConnection(options: ClientRequestArgs & ForRequest, callback?: Connected): Duplex | null | undefined {
    const proxy = this.proxies.proxyFor(targetIn(options, 'http:'));
    if (proxy === undefined) return super.createConnection(options, callback);
    return later(connectTo(proxy, wantedBy(options)), callback);
  }
}

/** The options of a connection that is made for a request. */
interface ForRequest {
  readonly waiting?: ClientRequest;
}

const NODES: unknown = Reflect.get(HttpAgent.prototype, 'createSocket');

/**
 * What Node does for each connection that a request needs, with `createConnection` in it, which is told of the request besides. It is older than its documentation, and the one place that knows
 * for which request a connection is.
 */
function createSocketFor(this: HttpAgent, request: ClientRequest, options: object, done: unknown): void {
  if (typeof NODES === 'function') Reflect.apply(NODES, this, [request, { ...options, waiting: request }, done]);
}

/** A connection that nobody waits for any more would keep the process alive. */
function wantedBy({ waiting }: ForRequest): () => boolean {
  return () => waiting?.destroyed !== true;
}

/** How a request without TLS is written for a proxy: with its whole URL, and with the credentials for the proxy. */
export function forProxy(
  proxy: HttpProxy,
  target: Target,
  path: string,
): { readonly path: string; readonly headers: Record<string, string> } {
  const authority = target.port === 80 ? authorityOf(target).replace(/:80$/, '') : authorityOf(target);
  return { path: `http://${authority}${path}`, headers: authorizationOf(proxy) };
}

function targetIn({ host, port }: ClientRequestArgs, protocol: Target['protocol']): Target {
  return { protocol, host: host ?? 'localhost', port: Number(port ?? (protocol === 'https:' ? 443 : 80)) };
}

function later(connecting: Promise<Duplex>, callback: Connected | undefined): undefined {
  connecting.then(
    (stream) => callback?.(null, stream),
    // The agent looks at the error alone.
    (error: unknown) => callback?.(asSluiceError(error), new Duplex()),
  );
  return undefined;
}
