import type { AgentOptions } from 'node:http';
import type { S3 } from '@aws-sdk/client-s3';
import type { Proxies } from './proxies.js';
import { forProxy, PlainAgent, TunnelAgent } from './proxy-agents.js';
import { proxyRefuses } from './proxy-errors.js';
import { authorityOf } from './tunnel.js';

/** A request of the SDK that is signed, so that nothing of it may change but how it travels. */
interface SignedRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  path: string;
  readonly headers: Record<string, string>;
}

/** The agents of a client whose requests go through proxies, and what writes those without TLS for them. */
export function s3AgentsBy(
  proxies: Proxies,
  options: AgentOptions,
): { readonly httpAgent: PlainAgent; readonly httpsAgent: TunnelAgent; readonly prepare: (s3: S3) => void } {
  return {
    httpAgent: new PlainAgent(proxies, options),
    httpsAgent: new TunnelAgent(proxies, options),
    prepare: (s3) =>
      s3.middlewareStack.add(
        (next) => async (args) => {
          const request = args.request as SignedRequest;
          if (request.protocol !== 'http:') return next(args);
          const target = { protocol: 'http:', host: request.hostname, port: request.port ?? 80 } as const;
          const proxy = proxies.proxyFor(target);
          if (proxy === undefined) return next(args);
          const { path, headers } = forProxy(proxy, target, request.path);
          request.path = path;
          Object.assign(request.headers, headers);
          const result = await next(args);
          const { statusCode } = result.response as { readonly statusCode?: number };
          if (statusCode === 407) throw proxyRefuses(proxy, 407, authorityOf(target));
          return result;
        },
        // Last of all: the signature is over the path as it was.
        { step: 'deserialize', name: 'throughProxy', priority: 'low' },
      ),
  };
}
