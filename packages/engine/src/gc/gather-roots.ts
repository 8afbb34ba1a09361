import type { Emit } from '../events.js';
import { isGitWorkspace } from '../history/git.js';
import type { HistoryScope } from '../history/scope.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { GcRoots, RootRef } from '../store/gc/roots.js';
import type { Store } from '../store/store.js';
import { rememberHistory, stopIfShallow } from './history-roots.js';
import { recordedRoots, rootsOfRecordsSince, stopAtDamaged } from './record-roots.js';
import { rootsOfWorkspace, workspacesOf } from './workspace-roots.js';

/** What counts as in use. The locks of all workspaces of the store always do. */
export interface GcScope extends HistoryScope {
  /** Results that were recorded within this time. */
  readonly recordsMs?: number | undefined;
}

/** Where the roots of a collection are looked for. */
export interface GatherOptions {
  readonly store: Store;
  /** Absolute path of the workspace that asks. Its repository is the one in which `revs` are looked up. */
  readonly root: string;
  readonly scope: GcScope;
  /** Whether all of a root is on a durable remote; `unknown` when the remote does not answer. */
  readonly isOnRemote: (root: OutRoot) => Promise<boolean | 'unknown'>;
  /** Whether an out is one that is pushed at all; not with `push: false`. All are if it is not given. */
  readonly isPushed?: ((path: RelPath) => boolean) | undefined;
  /** Roots of stages that are running, asked at each look. */
  readonly running?: (() => readonly RootRef[]) | undefined;
  /** Records, notes and the history protect nothing, so it does no harm when some cannot be read. */
  readonly allowUnpushed?: boolean | undefined;
  readonly now: Date;
  readonly emit: Emit;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The roots of a collection. `live` throws `ERR_GC_STOPPED` for a workspace that cannot be read, `ERR_SHALLOW_CLONE` for a history scope in a shallow clone and
 * `ERR_REVISION`. `recorded` takes the history of every workspace's repository as far as it goes.
 */
export function gatherRoots(options: GatherOptions): GcRoots {
  const { store, root, scope, emit, signal, env } = options;
  const git = { signal, env };
  const isPushed = options.isPushed ?? ((): boolean => true);
  const history = rememberHistory(emit, git);
  const { revs = [], recordsMs, ...everywhere } = scope;
  return {
    live: async () => {
      const refs: RootRef[] = [...(options.running?.() ?? [])];
      for (const workspace of workspacesOf(store, root)) {
        refs.push(...(await rootsOfWorkspace(workspace, git)));
        if (!namesHistory(everywhere)) continue;
        // The workspace that asks has to have a history; another one may be without git.
        if (workspace !== root && !(await isGitWorkspace(workspace, git))) continue;
        await stopIfShallow(workspace, git);
        refs.push(...(await history(workspace, everywhere)));
      }
      if (revs.length > 0) {
        await stopIfShallow(root, git);
        refs.push(...(await history(root, { revs })));
      }
      if (recordsMs !== undefined) refs.push(...rootsOfRecordsSince(store, options.now.getTime() - recordsMs));
      return refs;
    },
    recorded: async () => {
      // Nothing is protected then; the list only says which records lose their data.
      if (options.allowUnpushed === true)
        return recordedRoots(
          store,
          () => true,
          () => undefined,
        );
      const refs = recordedRoots(store, isPushed, stopAtDamaged);
      for (const workspace of workspacesOf(store, root)) {
        if (!(await isGitWorkspace(workspace, git))) continue;
        const past = await history(workspace, { allCommits: true });
        refs.push(...past.filter(({ path }) => isPushed(path)));
      }
      return refs;
    },
    isOnRemote: options.isOnRemote,
  };
}

function namesHistory(scope: HistoryScope): boolean {
  const { allBranches, allTags, allCommits, since, num } = scope;
  return allBranches === true || allTags === true || allCommits === true || since !== undefined || num !== undefined;
}
