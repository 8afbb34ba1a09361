import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '@sluice/engine';
import type { Host } from './host.js';

/** A pull request to open: branches of this repository. */
export interface NewPullRequest {
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

const LIMIT_MS = 20_000;
const MOST_TRIES = 4;
const FIRST_WAIT_MS = 500;

/** Opens a pull request, or finds the one that is open for the branch. Returns its address. Throws `ERR_LOCKS_NOT_PUBLISHED`. */
export async function openPullRequest(env: Host['env'], token: string, wanted: NewPullRequest): Promise<string> {
  const repository = env.GITHUB_REPOSITORY ?? '';
  const pulls = `${env.GITHUB_API_URL ?? 'https://api.github.com'}/repos/${repository}/pulls`;
  const opened = await ask(token, pulls, wanted);
  if (opened.status === 201) return addressOf(opened.answer);
  if (opened.status === 422) {
    const [owner = ''] = repository.split('/');
    const query = new URLSearchParams({ state: 'open', head: `${owner}:${wanted.head}`, base: wanted.base });
    const found = await ask(token, `${pulls}?${query}`);
    if (found.status === 200 && Array.isArray(found.answer) && found.answer.length > 0)
      return addressOf(found.answer[0]);
  }
  throw refusal(wanted, `${opened.status} ${messageOf(opened.answer)}`.trim());
}

interface Answer {
  readonly status: number;
  readonly answer: unknown;
}

/** What passes by itself is tried again. A request that opens something twice is answered by 422. */
async function ask(token: string, url: string, body?: NewPullRequest): Promise<Answer> {
  let failure = '';
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (tries > 0) await sleep(FIRST_WAIT_MS * 2 ** (tries - 1));
    try {
      const response = await fetch(url, {
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'user-agent': 'sluice',
          'x-github-api-version': '2022-11-28',
        },
        redirect: 'error',
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      const text = await response.text();
      if (response.status !== 429 && response.status < 500) return { status: response.status, answer: parsed(text) };
      failure = String(response.status);
    } catch (error) {
      failure = error instanceof Error ? error.message : 'no answer';
    }
  }
  throw new SluiceError(
    'ERR_LOCKS_NOT_PUBLISHED',
    `the pull request was not opened: ${new URL(url).host}: ${failure}`,
    {
      hint: 'The branch is there: open it by hand, or run the job again.',
    },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function addressOf(answer: unknown): string {
  const address = field(answer, 'html_url');
  return typeof address === 'string' ? address : '';
}

function messageOf(answer: unknown): string {
  const message = field(answer, 'message');
  return typeof message === 'string' ? message.slice(0, 300) : '';
}

function field(answer: unknown, name: string): unknown {
  return typeof answer === 'object' && answer !== null
    ? Object.entries(answer).find(([key]) => key === name)?.[1]
    : undefined;
}

function refusal({ head }: NewPullRequest, answer: string): SluiceError {
  return new SluiceError('ERR_LOCKS_NOT_PUBLISHED', `the pull request for ${head} was not opened: ${answer}`, {
    hint: 'Give the job `pull-requests: write`, and let workflows open pull requests in the settings of the repository.',
  });
}
