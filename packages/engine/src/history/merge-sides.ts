import { type GitOptions, runGit } from './run-git.js';

/** The commits that a merge puts together that has begun, or that was committed last; none where there is no merge, or no repository. */
export async function sidesOfMerge(root: string, options: GitOptions = {}): Promise<string[]> {
  if (await isCommit(root, 'MERGE_HEAD', options)) return ['HEAD', 'MERGE_HEAD'];
  return (await isCommit(root, 'HEAD^2', options)) ? ['HEAD^1', 'HEAD^2'] : [];
}

/** Whether a revision names a commit here. */
export async function isCommit(root: string, rev: string, options: GitOptions = {}): Promise<boolean> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${rev}^{commit}`];
  return (await runGit(root, args, options)).status === 0;
}
