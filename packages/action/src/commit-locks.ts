import { asSluiceError, type Engine, type PublishLocksReport, plural, SluiceError } from '@sluice/engine';
import { childEnv } from './child-env.js';
import type { CiRun } from './ci-run.js';
import type { Host } from './host.js';
import type { Inputs } from './inputs.js';
import { openPullRequest } from './pull-request.js';
import { BY_MEMBERS, type Standing } from './standing.js';
import type { WorkspaceRun } from './workspace-run.js';

/** What became of the locks of a workspace. */
export interface LockOutcome {
  readonly commit: string | undefined;
  /** Where a person finds it. */
  readonly pullRequest: string | undefined;
  /** Sentences for people. */
  readonly notices: readonly string[];
  readonly error: SluiceError | undefined;
}

const BRANCH = 'refs/heads/';
/** The account under which GitHub shows what jobs do. */
const BOT = { name: 'github-actions[bot]', email: '41898282+github-actions[bot]@users.noreply.github.com' };
const TITLE = 'Update data locks';

/** The branch that takes the locks of this run; `undefined` if the step commits none. Throws `ERR_USAGE` for a run that must not write to its branch. */
export function branchForLocks(run: CiRun, standing: Standing, { commitLock }: Inputs): string | undefined {
  if (commitLock === 'false') return undefined;
  const isOwn = BY_MEMBERS.includes(run.event) && run.ref.startsWith(BRANCH);
  if (standing.mayWrite && isOwn) return run.ref.slice(BRANCH.length);
  const why = standing.mayWrite
    ? `The event ${JSON.stringify(run.event)} belongs to no branch that is pushed to.`
    : standing.why;
  throw new SluiceError('ERR_USAGE', `input commit-lock: locks are not committed here. ${why}`, {
    hint: 'Commit locks in a job that runs on push, schedule or workflow_dispatch.',
  });
}

/** Commits the locks of a workspace after a run that succeeded, and lets the branch or a pull request have them. Never throws: what went wrong is in the result. */
export async function commitLocks(
  engine: Pick<Engine, 'publishLocks'>,
  { env }: Pick<Host, 'env'>,
  run: WorkspaceRun,
  { commitLock, lockToken: token }: Inputs,
  branch: string,
): Promise<LockOutcome> {
  const none = { commit: undefined, pullRequest: undefined, notices: [], error: undefined };
  if (run.exitCode !== 0 || run.wasInterrupted) return none;
  try {
    const published = await engine.publishLocks({
      remote: 'origin',
      branch,
      ...(commitLock === 'pull-request' ? { newBranch: 'sluice/locks-' } : {}),
      message: `${TITLE}\n\n${madeBy(env)}`,
      ...BOT,
      env: gitEnv(env, token),
    });
    const notices = noticesOf(published, branch);
    if (published.commit === null) return { ...none, notices };
    if (commitLock !== 'pull-request') return { ...none, commit: published.commit, notices };
    const pullRequest = await openPullRequest(
      { env, token: token ?? '' },
      {
        head: published.branch,
        base: branch,
        title: TITLE,
        body: `Locks of data:\n\n${published.locks.map((lock) => `    ${lock}`).join('\n')}\n\n${madeBy(env)}`,
      },
    );
    return { ...none, commit: published.commit, pullRequest, notices: [...notices, `opened ${pullRequest}`] };
  } catch (error) {
    return { ...none, error: asSluiceError(error) };
  }
}

function noticesOf({ commit, branch: to, locks, left }: PublishLocksReport, branch: string): string[] {
  const done = commit === null ? [] : [`committed ${plural(locks.length, 'lock')} to ${to} as ${commit.slice(0, 12)}`];
  const entries = (why: (typeof left)[number]['why']): string =>
    left
      .filter((entry) => entry.why === why)
      .map(({ lock, target }) => `${target} in ${lock}`)
      .join(', ');
  const [there, kept] = [entries('changed-there'), entries('kept-in-git')];
  return [
    ...done,
    ...(there === '' ? [] : [`left as ${branch} has them, since others changed them meanwhile: ${there}`]),
    ...(kept === ''
      ? []
      : [`not committed, since git keeps an out of theirs that has to be committed with it: ${kept}`]),
  ];
}

function madeBy(env: Host['env']): string {
  const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env;
  return `Made by ${server}/${repository ?? ''}/actions/runs/${id ?? ''}`;
}

/**
 * @internal
 * The environment of git: without what belongs to the job, and with the token, if there is one, in place of what the checkout has left in its configuration. It is not an argument, since arguments of
 * processes can be seen by others.
 */
export function gitEnv(env: Host['env'], token: string | undefined): Record<string, string> {
  const child = childEnv(env, []);
  if (token === undefined) return child;
  const key = `http.${env.GITHUB_SERVER_URL ?? 'https://github.com'}/.extraheader`;
  const count = Number(child.GIT_CONFIG_COUNT ?? 0) || 0;
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return {
    ...child,
    GIT_CONFIG_COUNT: String(count + 2),
    // An empty value drops the headers before it: a server refuses two of them.
    [`GIT_CONFIG_KEY_${count}`]: key,
    [`GIT_CONFIG_VALUE_${count}`]: '',
    [`GIT_CONFIG_KEY_${count + 1}`]: key,
    [`GIT_CONFIG_VALUE_${count + 1}`]: `AUTHORIZATION: basic ${basic}`,
  };
}
