import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { compareUtf8, type RelPath } from '../model/path.js';
import { type Commit, parseCommit } from './git.js';
import { type GitOptions, git, runGit } from './run-git.js';

/** Who made a commit, and what it says. */
export interface CommitWords {
  readonly message: string;
  readonly name: string;
  readonly email: string;
}

/** Hooks belong to whoever types `git commit`; here they would be code of the checkout with the keys of the job. */
const NO_HOOKS = ['-c', 'core.hooksPath=/dev/null'];

/**
 * Makes a commit on top of `parent` that differs from it in these files alone, by paths relative to the workspace root. Index, files and branches stay as they are; the commit has no name yet. Throws
 * `ERR_REVISION`, and `ERR_INTERNAL` before anything is published if anything else would differ.
 */
export async function commitFiles(
  root: string,
  parent: Commit,
  files: ReadonlyMap<RelPath, string>,
  { message, name, email }: CommitWords,
  options: GitOptions,
): Promise<Commit> {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-index-'));
  const env = {
    ...(options.env ?? process.env),
    GIT_INDEX_FILE: join(scratch, 'index'),
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
  const run = async (args: readonly string[], input = ''): Promise<string> =>
    (await git(root, [...NO_HOOKS, ...args], { ...options, env, input })).toString('utf8').trim();
  try {
    const prefix = await run(['rev-parse', '--show-prefix']);
    await run(['read-tree', `${parent}^{tree}`]);
    const lines: string[] = [];
    for (const [path, text] of files) {
      const blob = await run(['hash-object', '-w', '--no-filters', '--stdin'], text);
      lines.push(`100644 ${blob}\t${prefix}${path}\0`);
    }
    await run(['update-index', '-z', '--index-info'], lines.join(''));
    const tree = await run(['write-tree']);
    const changed = await run(['diff-tree', '-r', '-z', '--no-renames', '--name-only', `${parent}^{tree}`, tree]);
    const wanted = [...files.keys()].map((path) => `${prefix}${path}`).sort(compareUtf8);
    if (changed.split('\0').filter(Boolean).sort(compareUtf8).join('\0') !== wanted.join('\0'))
      throw new SluiceError('ERR_INTERNAL', `a commit of ${wanted.join(', ')} would change something else`);
    return asCommit(await run(['commit-tree', '--no-gpg-sign', '-p', parent, tree], message));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What became of a push. `behind`: the branch is not where the commit begins, so somebody else was faster. */
export type PushedCommit =
  | { readonly kind: 'done' | 'behind' }
  | { readonly kind: 'refused'; readonly message: string };

/** Lets a branch of a git remote go on to a commit, never back and never aside. */
export async function pushCommit(
  root: string,
  { remote, branch, commit }: { readonly remote: string; readonly branch: string; readonly commit: Commit },
  options: GitOptions,
): Promise<PushedCommit> {
  const { status, stdout, stderr } = await runGit(
    root,
    [
      ...NO_HOOKS,
      'push',
      '--porcelain',
      '--no-verify',
      '--no-follow-tags',
      '--recurse-submodules=no',
      '--',
      remote,
      `${commit}:refs/heads/${branch}`,
    ],
    options,
  );
  if (status === 0) return { kind: 'done' };
  const said = `${stdout.toString('utf8')}\n${stderr}`;
  if (/^!.*\[rejected\]|^!.*(?:cannot lock ref|failed to update ref|reference already exists)/m.test(said))
    return { kind: 'behind' };
  const line = said.split('\n').find((one) => /^(?:!|fatal:|error:|remote: error)/.test(one));
  return { kind: 'refused', message: (line ?? stderr).replaceAll('\t', ' ').trim() };
}

/** The commit that a branch of a git remote names now, with its files; `undefined` if there is no such branch. Throws `ERR_REVISION` if it cannot be asked. */
export async function fetchBranch(
  root: string,
  { remote, branch }: { readonly remote: string; readonly branch: string },
  options: GitOptions,
): Promise<Commit | undefined> {
  const ref = `refs/heads/${branch}`;
  const listed = await git(root, [...NO_HOOKS, 'ls-remote', '--', remote, ref], options);
  const tip = parseCommit(listed.toString('utf8').split('\t')[0] ?? '');
  if (tip === undefined) return undefined;
  // A ref of its own, since others may fetch in this clone too.
  const mine = `refs/sluice/${process.pid}`;
  const quiet = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance'];
  await git(root, [...NO_HOOKS, 'fetch', ...quiet, '--', remote, `+${ref}:${mine}`], options);
  try {
    return asCommit((await git(root, ['rev-parse', '--verify', `${mine}^{commit}`], options)).toString('utf8').trim());
  } finally {
    await runGit(root, ['update-ref', '-d', mine], options);
  }
}

function asCommit(text: string): Commit {
  const commit = parseCommit(text);
  if (commit !== undefined) return commit;
  throw new SluiceError('ERR_REVISION', `git gave no commit but ${JSON.stringify(text.slice(0, 80))}`);
}
