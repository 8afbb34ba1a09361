import { createHash } from 'node:crypto';
import type { CiRun } from './ci-run.js';
import type { Host } from './host.js';
import { httpUrl } from './http-url.js';
import type { Inputs } from './inputs.js';
import { keepComment } from './pull-comment.js';

/** What telling it depends on. */
export interface TellReviewOptions {
  readonly inputs: Inputs;
  readonly run: CiRun;
}

/** Keeps the review as a comment on the pull request of the run, if the step gives a token for it. Returns why that was not possible. Never throws. */
export async function tellReview(
  { env, write }: Pick<Host, 'env' | 'write'>,
  { inputs, run }: TellReviewOptions,
  review: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { commentToken: token } = inputs;
  const { pullRequest, repository } = run;
  if (token === undefined || pullRequest === undefined) return undefined;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) return `${JSON.stringify(repository)} is no repository`;
  const place = { env, repository, pullRequest: pullRequest.number, token, marker: markerOf(env), signal };
  try {
    const outcome = await keepComment(
      place,
      review === undefined ? undefined : `${review}\n\n${runLine(env, repository)}`,
    );
    if (outcome !== 'none') write(`comment on pull request ${pullRequest.number}: ${outcome}\n`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Two jobs that both comment do not overwrite each other. */
function markerOf({ GITHUB_WORKFLOW = '', GITHUB_JOB = '' }: Host['env']): string {
  const hash = createHash('sha256').update(`${GITHUB_WORKFLOW}\n${GITHUB_JOB}`).digest('hex');
  return `<!-- sluice-review ${hash.slice(0, 16)} -->`;
}

function runLine({ GITHUB_SERVER_URL, GITHUB_RUN_ID = '' }: Host['env'], repository: string): string {
  const server = httpUrl(GITHUB_SERVER_URL);
  const isKnown = server !== undefined && /^\d+$/.test(GITHUB_RUN_ID);
  return isKnown ? `<sub>[Run ${GITHUB_RUN_ID}](${server}/${repository}/actions/runs/${GITHUB_RUN_ID})</sub>` : '';
}
