import { brokerAccess } from '../remote/storage/broker/access.js';
import { readProxies, targetOf } from '../remote/storage/proxy/proxies.js';
import { proxyOnTheWay } from '../remote/storage/s3-address.js';
import { type Environment, type RemoteConfig, remoteNamed } from '../workspace/config.js';
import { actionsCacheAddress } from './actions-cache-remote.js';
import type { OperationContext } from './context.js';
import type { PingReport } from './reports.js';
import { accessOf } from './s3-remote.js';

/** Asks a remote, or the default one, for a sign of life. Throws `ERR_REMOTE_UNKNOWN`, `ERR_REMOTE_DOWN` and `ERR_REMOTE_DENIED`. */
export async function pingRemote(context: OperationContext, name: string | undefined): Promise<PingReport> {
  const { config, env, signal } = context;
  const { name: remote, remote: opened } = context.remotes.open(name);
  const startedMs = performance.now();
  const used = (await opened.contact(signal)) === 'used';
  const ms = Math.round(performance.now() - startedMs);
  // What evicts may have been used all the same.
  if (!used && opened.storage.durable) context.remotes.reach.unused(opened);
  return { remote, used, ms, proxy: proxyTo(remoteNamed(config, remote), env) ?? null };
}

/** Behind a broker there is none on the way: it finds its own. */
function proxyTo(settings: RemoteConfig, env: Environment): string | undefined {
  const { location } = settings;
  if (brokerAccess(env) !== undefined) return undefined;
  if (location.kind === 's3') return proxyOnTheWay(accessOf(settings, env), location.bucket)?.name;
  if (location.kind !== 'actions-cache') return undefined;
  const address = actionsCacheAddress(env);
  return address === undefined ? undefined : readProxies(env)?.proxyFor(targetOf(new URL(address)))?.name;
}
