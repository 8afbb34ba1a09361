import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { inParallel } from '../remote/parallel.js';
import { remoteNamed } from '../workspace/config.js';
import { usableLocation } from '../workspace/remote-url.js';
import type { OperationContext } from './context.js';
import type { RemoteState } from './remotes.js';

/** Which remotes are asked about outs: these, or for each out its own, which is the default one where it names none. */
export type AskedRemotes = readonly string[] | 'own';

/** A version of an out. */
interface RootOfOut {
  readonly root: OutRoot;
  readonly out: { readonly remote: string | undefined; readonly push: boolean };
}

/** Names of the remotes that are asked about an out. */
export function askedFor(
  { config }: OperationContext,
  { out }: { readonly out: Pick<RootOfOut['out'], 'remote'> },
  asked: AskedRemotes,
): readonly string[] {
  if (asked !== 'own') return asked;
  const name = out.remote ?? config.defaultRemote;
  return name === undefined ? [] : [name];
}

/** Throws `ERR_REMOTE_UNKNOWN` for a remote that is asked and not configured, and `ERR_CONFIG` for one that this version cannot use. */
export function checkAsked({ config }: OperationContext, asked: AskedRemotes): void {
  for (const name of asked === 'own' ? [undefined] : asked) usableLocation(remoteNamed(config, name));
}

/** What remotes hold of versions: for each, by name of the remote; of what is not pushed, nothing. Each root is asked for once on each remote. */
export async function remoteStatesOf(
  context: OperationContext,
  versions: readonly RootOfOut[],
  asked: AskedRemotes,
): Promise<Record<string, RemoteState>[]> {
  const namesOf = (version: RootOfOut): readonly string[] =>
    version.out.push ? askedFor(context, version, asked) : [];
  const byRemote = new Map<string, ReadonlyMap<Digest, RemoteState>>();
  for (const name of new Set(versions.flatMap(namesOf))) {
    const mine = versions.filter((version) => namesOf(version).includes(name)).map(({ root }) => root);
    byRemote.set(name, await askRemote(context, mine, name));
  }
  return versions.map((version) =>
    Object.fromEntries(
      namesOf(version).flatMap((name) => {
        const state = byRemote.get(name)?.get(version.root.digest);
        return state === undefined ? [] : [[name, state]];
      }),
    ),
  );
}

/** Requests at once. */
const AT_ONCE = 16;

async function askRemote(
  context: OperationContext,
  roots: readonly OutRoot[],
  name: string,
): Promise<Map<Digest, RemoteState>> {
  const distinct = [...new Map(roots.map((root) => [root.digest, root])).values()];
  const states = await inParallel(distinct, AT_ONCE, (root) => context.remotes.state(name, root));
  return new Map(distinct.flatMap(({ digest }, i) => (states[i] === undefined ? [] : [[digest, states[i]]])));
}
