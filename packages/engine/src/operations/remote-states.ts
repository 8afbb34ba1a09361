import type { Digest } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { inParallel } from '../remote/parallel.js';
import type { OperationContext } from './context.js';
import type { RemoteState } from './remotes.js';

/** Requests at once. */
const AT_ONCE = 16;

/** Asks remotes whether they hold roots, each once: by digest, then by name of the remote. */
export async function remoteStatesOf(
  context: OperationContext,
  roots: readonly OutRoot[],
  remotes: readonly string[],
): Promise<Map<Digest, Record<string, RemoteState>>> {
  const distinct = [...new Map(roots.map((root) => [root.digest, root])).values()];
  const states = new Map<Digest, Record<string, RemoteState>>(distinct.map(({ digest }) => [digest, {}]));
  for (const name of remotes) {
    const answers = await inParallel(distinct, AT_ONCE, (root) => context.remotes.state(name, root));
    for (const [i, { digest }] of distinct.entries()) {
      const answer = answers[i];
      const known = states.get(digest);
      if (answer !== undefined && known !== undefined) known[name] = answer;
    }
  }
  return states;
}
