import { SluiceError } from '../errors.js';
import { type Commit, resolveRev } from '../history/git.js';
import { git } from '../history/run-git.js';
import { LOCK_FILE } from '../model/lock.js';
import { lockPath } from '../stage/lock-file.js';
import { checkout } from './checkout.js';
import type { OperationContext } from './context.js';
import type { CheckoutReport } from './reports.js';
import type { Selected } from './select.js';

/** Two commits that git went from and to; either may be unknown. */
export interface FollowOptions {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * Makes the workspace follow git after it has switched: puts in place what the locks that changed say, as far as the store has it (or a remote, if `hooks.postCheckout` is `pull`). Outs with
 * changes that are committed nowhere stay as they are, with a warning, and so do those that another process holds. Throws what `checkout` throws.
 */
export async function followGit(
  context: OperationContext,
  all: readonly Selected[],
  { from, to }: FollowOptions,
): Promise<CheckoutReport> {
  const changed = await changedLocks(context, from, to);
  const selected = changed === undefined ? all : all.filter(({ stage }) => changed.has(lockPath(stage.projectRoot)));
  return await checkout(context, selected, {
    force: false,
    unsaved: 'leave',
    wait: false,
    onlyStale: true,
    missing: context.config.hooks.postCheckout === 'pull' ? 'fetch' : 'leave',
    strict: false,
  });
}

/** Paths of locks that differ between two commits; `undefined` if that cannot be told, as after a clone. */
async function changedLocks(
  { workspace, signal }: OperationContext,
  from: string | undefined,
  to: string | undefined,
): Promise<ReadonlySet<string> | undefined> {
  const [before, after] = [await commitNamed(from), await commitNamed(to)];
  if (before === undefined || after === undefined) return undefined;
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '--name-only',
    '--no-renames',
    '--relative',
    before,
    after,
    '--',
    `:(glob)**/${LOCK_FILE}`,
  ];
  const listed = await git(workspace.root, args, { signal });
  return new Set(listed.toString('utf8').split('\0'));

  async function commitNamed(rev: string | undefined): Promise<Commit | undefined> {
    if (rev === undefined || /^0+$/.test(rev)) return undefined;
    try {
      return await resolveRev(workspace.root, rev, { signal });
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'ERR_REVISION') return undefined;
      throw error;
    }
  }
}
