import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { type GitOptions, runGit } from '../history/run-git.js';
import { LOCK_FILE, parseLock } from '../model/lock.js';
import { joinRelPath, parseRelPath, type RelPath, tryParseRelPath } from '../model/path.js';
import type { Store } from '../store/store.js';
import { listWorkspaces } from '../store/workspaces.js';
import { readWorkspace } from '../workspace/projects.js';
import { projectsCachePath } from '../workspace/state-dir.js';
import { type NamedRoot, rootsOfLock } from './named-root.js';

/**
 * The absolute paths of the workspaces whose locks count: the one that asks and all that are registered. Throws `ERR_GC_STOPPED` if an entry
 * of the registry cannot be read.
 */
export function workspacesOf(store: Store, asking: string): string[] {
  const paths = new Set([asking]);
  for (const entry of listWorkspaces(store)) {
    if (entry.kind === 'damaged') throw stop(entry.file, entry.problem);
    paths.add(entry.path);
  }
  return [...paths];
}

/**
 * What the locks of a workspace name as they lie on disk. Throws `ERR_GC_STOPPED`, which names `--forget-workspace`, if the workspace or one of its locks
 * cannot be read.
 */
export async function rootsOfWorkspace(root: string, options: GitOptions = {}): Promise<NamedRoot[]> {
  try {
    if (statSync(join(root, 'nx.json'), { throwIfNoEntry: false }) === undefined) {
      throw new SluiceError('ERR_WORKSPACE', `${root} is no Nx workspace any more`);
    }
    const locks = await lockPaths(root, options);
    return [...locks].flatMap((path) => {
      const text = readIfThere(join(root, path));
      return text === undefined ? [] : rootsOfLock(parseLock(text, path), `${path} of ${root}`);
    });
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_INTERRUPTED') throw error;
    throw stop(root, error);
  }
}

/**
 * Where locks may lie: beside every project, also one that is declared wrongly at the moment, and wherever git tracks one, such as that of a project
 * that was renamed.
 */
async function lockPaths(root: string, options: GitOptions): Promise<Set<RelPath>> {
  const { projects, problems } = readWorkspace(root, { cacheFile: projectsCachePath(root) });
  const directories = [...projects.values()].map((project) => project.root);
  for (const { file } of problems) directories.push(parseRelPath(file.split('/').slice(0, -1).join('/')));
  const paths = new Set(directories.map((directory) => joinRelPath(directory, LOCK_FILE)));
  for (const name of await trackedLocks(root, options)) {
    const path = tryParseRelPath(name);
    if (path !== undefined && path !== '') paths.add(path);
  }
  return paths;
}

/** None where there is no git or no repository. */
async function trackedLocks(root: string, options: GitOptions): Promise<string[]> {
  try {
    const { status, stdout } = await runGit(root, ['ls-files', '-z', '--', `:(glob)**/${LOCK_FILE}`], options);
    return status === 0 ? stdout.toString('utf8').split('\0') : [];
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_REVISION') return [];
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function stop(path: string, cause: unknown): SluiceError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  const repair = cause instanceof SluiceError && cause.hint !== undefined ? `${cause.hint} ` : '';
  return new SluiceError('ERR_GC_STOPPED', `nothing was deleted: what ${path} uses cannot be read (${problem})`, {
    cause,
    hint: `${repair}If its data is not needed any more: sluice gc --forget-workspace ${path}`,
    details: { workspace: path },
  });
}
