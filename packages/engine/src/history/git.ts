import { SluiceError } from '../errors.js';
import { type RelPath, tryParseRelPath } from '../model/path.js';
import { failureOf, type GitOptions, git, runGit } from './run-git.js';

declare const commitBrand: unique symbol;

/** The full name of a commit: 40 or 64 hex digits. Made only by the functions of this folder. */
export type Commit = string & { readonly [commitBrand]: true };

/** Whether the workspace lies in the work tree of a git repository. `false` also where git is not installed or refuses the directory. */
export async function isGitWorkspace(root: string, options: GitOptions = {}): Promise<boolean> {
  try {
    const { status, stdout } = await runGit(root, ['rev-parse', '--is-inside-work-tree'], options);
    return status === 0 && stdout.toString('utf8').trim() === 'true';
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_REVISION') return false;
    throw error;
  }
}

/** Whether the history is cut off, so that what older commits refer to is not known. Throws `ERR_REVISION` outside a repository. */
export async function isShallow(root: string, options: GitOptions = {}): Promise<boolean> {
  return (await git(root, ['rev-parse', '--is-shallow-repository'], options)).toString('utf8').trim() === 'true';
}

/** The files at or below `path` that git tracks, relative to the workspace root; none outside a repository. */
export async function trackedFilesUnder(root: string, path: RelPath, options: GitOptions = {}): Promise<RelPath[]> {
  if (!(await isGitWorkspace(root, options))) return [];
  const listed = await git(root, ['--literal-pathspecs', 'ls-files', '-z', '--', path === '' ? '.' : path], options);
  return listed
    .toString('utf8')
    .split('\0')
    .flatMap((name) => (name === '' ? [] : (tryParseRelPath(name) ?? [])));
}

/** The commit that a revision names: a branch, a tag, `HEAD~2`, a hash. Throws `ERR_REVISION`. */
export async function resolveRev(root: string, rev: string, options: GitOptions = {}): Promise<Commit> {
  const unknown = (hint: string): never => {
    throw new SluiceError('ERR_REVISION', `no commit is named ${JSON.stringify(rev)}`, { hint });
  };
  // git would take it for an option, or for two lines.
  if (rev === '' || rev.startsWith('-') || /[\0\n]/.test(rev)) return unknown('Name a branch, a tag or a commit.');
  const result = await runGit(
    root,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${rev}^{commit}`],
    options,
  );
  const commit = parseCommit(result.stdout.toString('utf8').trim());
  if (result.status === 0 && commit !== undefined) return commit;
  if (!(await isGitWorkspace(root, options))) throw await failureOf(root, result, options);
  return unknown('`git log --all --oneline` lists commits; a clone may have to fetch it first.');
}

/** Whether anything was committed to git. `false` also outside a repository. */
export async function hasHead(root: string, options: GitOptions = {}): Promise<boolean> {
  if (!(await isGitWorkspace(root, options))) return false;
  return (await runGit(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], options)).status === 0;
}

/** The UTF-8 text of a file at a revision, its path relative to the workspace root; `undefined` when it is not there. Throws `ERR_REVISION`. */
export async function readFileAt(
  root: string,
  rev: string,
  path: RelPath,
  options: GitOptions = {},
): Promise<string | undefined> {
  const commit = await resolveRev(root, rev, options);
  // `./` makes git start at the workspace root, which may lie below the root of the repository.
  const name = `${commit}:./${path}`;
  const found = await runGit(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', name], options);
  const blob = found.stdout.toString('utf8').trim();
  return found.status === 0 ? (await git(root, ['cat-file', 'blob', blob], options)).toString('utf8') : undefined;
}

/** A full commit name as git prints it; `undefined` for anything else. */
export function parseCommit(text: string): Commit | undefined {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? (text as Commit) : undefined;
}
