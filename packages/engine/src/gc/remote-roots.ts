import { SluiceError } from '../errors.js';
import type { Emit } from '../events.js';
import { isGitWorkspace } from '../history/git.js';
import type { Digest } from '../model/digest.js';
import { type GatherOptions, gatherRoots } from './gather-roots.js';
import { rememberHistory, stopIfShallow } from './history-roots.js';
import { workspacesOf } from './workspace-roots.js';

/** Roots that decide what a remote keeps: `live` are in scope, `known` were ever named by a commit of the repositories whose workspaces use the store. */
export interface RemoteRoots {
  readonly live: ReadonlySet<Digest>;
  readonly known: ReadonlySet<Digest>;
}

/**
 * The roots for the collection of a remote. It is shared, so all branches and tags count whatever the scope says. Throws `ERR_GC_STOPPED` outside a repository, and for a workspace or a lock
 * at a tip that cannot be read, `ERR_SHALLOW_CLONE` for cut-off history, and `ERR_REVISION`.
 */
export async function gatherRemoteRoots(options: GatherOptions): Promise<RemoteRoots> {
  const { store, root, scope, emit, signal, env } = options;
  const git = { signal, env };
  if (!(await isGitWorkspace(root, git))) {
    throw new SluiceError(
      'ERR_GC_STOPPED',
      `nothing was deleted: ${root} has no git history that says what is in use`,
      {
        hint: 'Collect a remote from a clone of the repository that uses it.',
      },
    );
  }
  const { revs, ...more } = scope;
  const tips = { allBranches: true, allTags: true, ...(revs === undefined ? {} : { revs }) };
  const refs = [
    ...(await gatherRoots({ ...options, scope: tips, emit: stopping(emit) }).live()),
    ...(await gatherRoots({ ...options, scope: more }).live()),
  ];
  const live = new Set(refs.map((ref) => ref.root.digest));
  const known = new Set(live);
  const history = rememberHistory(emit, git);
  for (const workspace of workspacesOf(store, root)) {
    if (!(await isGitWorkspace(workspace, git))) continue;
    await stopIfShallow(workspace, git);
    for (const past of await history(workspace, { allCommits: true })) known.add(past.root.digest);
  }
  return { live, known };
}

/** A lock at a tip that cannot be read may name anything. */
function stopping(emit: Emit): Emit {
  return (event) => {
    if (event.type === 'warning' && event.code?.startsWith('ERR_LOCK_') === true) {
      throw new SluiceError('ERR_GC_STOPPED', `nothing was deleted: ${event.message}`, {
        hint: 'Commit a lock that can be read to that branch, or delete the branch or tag.',
      });
    }
    emit(event);
  };
}
