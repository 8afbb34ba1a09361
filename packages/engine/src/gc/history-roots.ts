import { SluiceError } from '../errors.js';
import type { Emit } from '../events.js';
import { isGitWorkspace, isShallow } from '../history/git.js';
import { locksOf } from '../history/lock-history.js';
import { type GitOptions, runGit } from '../history/run-git.js';
import type { HistoryScope } from '../history/scope.js';
import { parseLock } from '../model/lock.js';
import { type NamedRoot, rootsOfLock } from './named-root.js';

/** Like {@link rootsOfHistory}, but a scope is read again only when a ref of the repository has moved: the second look costs one process. */
export function rememberHistory(
  emit: Emit,
  options: GitOptions,
): (root: string, scope: HistoryScope) => Promise<readonly NamedRoot[]> {
  const known = new Map<string, { readonly tips: string; readonly roots: readonly NamedRoot[] }>();
  return async (root, scope) => {
    const key = JSON.stringify([root, scope]);
    const tips = (await runGit(root, ['show-ref', '--head'], options)).stdout.toString('latin1');
    const before = known.get(key);
    if (before?.tips === tips) return before.roots;
    const roots = await rootsOfHistory(root, scope, emit, options);
    known.set(key, { tips, roots });
    return roots;
  };
}

/**
 * What the locks of a scope's commits name. A lock that is damaged in the history cannot be checked out either, so it is told and left out;
 * one that a newer Sluice wrote throws `ERR_GC_STOPPED`. Throws `ERR_REVISION`.
 */
async function rootsOfHistory(
  root: string,
  scope: HistoryScope,
  emit: Emit,
  options: GitOptions,
): Promise<NamedRoot[]> {
  const found: NamedRoot[] = [];
  for await (const { rev, path, text } of locksOf(root, scope, options)) {
    const where = `${path} at ${rev.slice(0, 12)}`;
    try {
      found.push(...rootsOfLock(parseLock(text, where), where));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      if (error.code === 'ERR_LOCK_VERSION') throw stopAtNewer(error);
      emit({ type: 'warning', code: error.code, message: `${where} is left out: ${error.message}` });
    }
  }
  return found;
}

/** Throws `ERR_SHALLOW_CLONE` if the history that a scope asks for is cut off. */
export async function stopIfShallow(root: string, options: GitOptions): Promise<void> {
  if (!(await isGitWorkspace(root, options)) || !(await isShallow(root, options))) return;
  throw new SluiceError('ERR_SHALLOW_CLONE', `nothing was deleted: the history of ${root} is cut off`, {
    hint: 'Fetch all of it (`git fetch --unshallow`), or collect with --workspace alone.',
  });
}

function stopAtNewer(cause: SluiceError): SluiceError {
  return new SluiceError('ERR_GC_STOPPED', `nothing was deleted: ${cause.message}`, {
    cause,
    hint: 'Update Sluice, so that it can read what the newer one has written.',
  });
}
