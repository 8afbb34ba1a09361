import { SluiceError } from '../errors.js';
import { type Commit, isShallow, parseCommit, resolveRev } from './git.js';
import { type GitOptions, runGit } from './run-git.js';

/** Where a base is looked for if nobody says: what pull requests go into. */
const USUAL_BASES = ['origin/HEAD', 'origin/main', 'origin/master'];

/**
 * The commit that `HEAD` and a base come from. Without a base it is `NX_BASE`, then the branch that a pull request on GitHub goes into (`GITHUB_BASE_REF`), then the main branch of `origin`. Throws `ERR_REVISION` if there is none,
 * `ERR_SHALLOW_CLONE` if the history is cut off before it.
 */
export async function mergeBase(root: string, base: string | undefined, options: GitOptions = {}): Promise<Commit> {
  const rev = await chooseBase(root, base, options);
  const [head, other] = [await resolveRev(root, 'HEAD', options), await resolveRev(root, rev, options)];
  const { stdout } = await runGit(root, ['merge-base', head, other], options);
  const found = parseCommit(stdout.toString('utf8').trim());
  if (found !== undefined) return found;
  if (await isShallow(root, options)) {
    throw new SluiceError('ERR_SHALLOW_CLONE', `the history is cut off before what HEAD and ${rev} have in common`, {
      hint: 'Fetch the rest: `git fetch --unshallow`, or "fetch-depth: 0" of actions/checkout.',
    });
  }
  throw new SluiceError('ERR_REVISION', `HEAD and ${rev} have no commit in common`, {
    hint: 'Name another base with --base.',
  });
}

async function chooseBase(root: string, base: string | undefined, options: GitOptions): Promise<string> {
  const env = options.env ?? {};
  if (base !== undefined) return base;
  if (env.NX_BASE) return env.NX_BASE;
  if (env.GITHUB_BASE_REF) return `origin/${env.GITHUB_BASE_REF}`;
  for (const rev of USUAL_BASES) {
    const { status } = await runGit(root, ['rev-parse', '--verify', '--quiet', `${rev}^{commit}`], options);
    if (status === 0) return rev;
  }
  throw new SluiceError('ERR_REVISION', 'there is no main branch of origin to compare with', {
    hint: 'Name what to compare with: --base REV.',
  });
}
