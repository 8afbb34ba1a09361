import { SluiceError } from '@sluice/engine';
import { askGitHub, type GitHubAccess, type GitHubAnswer, type GitHubRequest, tellOf } from './github-api.js';
import { asObject, asText } from './json-values.js';

/** A pull request to open: branches of this repository. */
export interface NewPullRequest {
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

/** Opens a pull request, or finds the one that is open for the branch. Returns its address. Throws `ERR_LOCKS_NOT_PUBLISHED`. */
export async function openPullRequest(access: GitHubAccess, wanted: NewPullRequest): Promise<string> {
  const repository = access.env.GITHUB_REPOSITORY ?? '';
  const pulls = `repos/${repository}/pulls`;
  // What opens something twice is answered by 422.
  const opened = await ask(access, { method: 'POST', path: pulls, body: wanted, isRepeatable: true });
  if (opened.status === 201) return addressOf(opened.content);
  if (opened.status === 422) {
    const [owner = ''] = repository.split('/');
    const query = new URLSearchParams({ state: 'open', head: `${owner}:${wanted.head}`, base: wanted.base });
    const found = await ask(access, { method: 'GET', path: `${pulls}?${query}`, isRepeatable: true });
    if (found.status === 200 && Array.isArray(found.content) && found.content.length > 0)
      return addressOf(found.content[0]);
  }
  throw notPublished(
    `the pull request for ${wanted.head} was not opened: ${tellOf(opened)}`,
    'Give the job `pull-requests: write`, and let workflows open pull requests in the settings of the repository.',
  );
}

async function ask(access: GitHubAccess, request: GitHubRequest): Promise<GitHubAnswer> {
  try {
    return await askGitHub(access, request);
  } catch (error) {
    throw notPublished(
      `the pull request was not opened: ${error instanceof Error ? error.message : String(error)}`,
      'The branch is there: open it by hand, or run the job again.',
    );
  }
}

function addressOf(pull: unknown): string {
  return asText(asObject(pull).html_url) ?? '';
}

function notPublished(message: string, hint: string): SluiceError {
  return new SluiceError('ERR_LOCKS_NOT_PUBLISHED', message, { hint });
}
