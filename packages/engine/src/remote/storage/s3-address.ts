import { type HttpProxy, targetOf } from './proxy/proxies.js';
import type { S3Access } from './s3-client.js';

/**
 * The proxy through which a bucket is reached, for what is said of it; the connections look for theirs themselves. `undefined` if there is none on the way. Throws `ERR_CONFIG` for a variable
 * that names none that can be used.
 */
export function proxyOnTheWay(
  access: Pick<S3Access, 'endpoint' | 'region' | 'proxies'>,
  bucket: string,
): HttpProxy | undefined {
  const { endpoint, region = 'us-east-1', proxies } = access;
  // A name that no host can have leads nowhere, with and without a proxy.
  const address = endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  return proxies === undefined || !URL.canParse(address) ? undefined : proxies.proxyFor(targetOf(new URL(address)));
}
