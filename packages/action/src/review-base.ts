import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { childEnv } from './child-env.js';
import type { PullRequest } from './ci-run.js';
import type { Host } from './host.js';

const execute = promisify(execFile);

/** What the data of a run is compared with. */
export interface ReviewBase {
  /** A commit that is in the clone. */
  readonly rev: string;
  /** For people. */
  readonly name: string;
}

/** Fetching one commit of a large repository. */
const FETCH_MS = 60_000;

/**
 * Finds what a pull request would be merged into. A shallow clone, as `actions/checkout` makes it, lacks that commit: then it is fetched, alone. `undefined` where that is not possible.
 */
export async function reviewBase(
  host: Pick<Host, 'env'>,
  root: string,
  { head, base }: PullRequest,
  signal: AbortSignal,
): Promise<ReviewBase | undefined> {
  const git = async (...args: string[]): Promise<string | undefined> => {
    try {
      const { stdout } = await execute('git', ['-C', root, ...args], {
        signal,
        timeout: FETCH_MS,
        // A stage may have changed the settings of git, and with them what git starts.
        env: { ...childEnv(host.env, []), GIT_TERMINAL_PROMPT: '0' },
        maxBuffer: 1024 * 1024,
      });
      return stdout.trim();
    } catch {
      return undefined;
    }
  };
  if (base === undefined) return undefined;
  // In the merge that GitHub makes for a pull request the first parent is the branch as it is now. A shallow clone has its name, not the commit.
  const [target, merged] = [...((await git('cat-file', 'commit', 'HEAD')) ?? '').matchAll(/^parent (\S+)$/gm)].map(
    ([, parent]) => parent,
  );
  const isMerge = target !== undefined && merged !== undefined && merged === head;
  const rev = isMerge ? target : ((await git('merge-base', base.commit, 'HEAD')) ?? base.commit);
  if (!(await has(rev))) {
    const isShallow = (await git('rev-parse', '--is-shallow-repository')) === 'true';
    await git('fetch', '--quiet', '--no-tags', ...(isShallow ? ['--depth=1'] : []), 'origin', rev);
  }
  return (await has(rev)) ? { rev, name: base.ref } : undefined;

  async function has(commit: string): Promise<boolean> {
    return (await git('cat-file', '-e', `${commit}^{commit}`)) !== undefined;
  }
}
