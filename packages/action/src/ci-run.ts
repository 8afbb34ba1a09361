import { readFileSync } from 'node:fs';
import { asObject, asText, readJson } from './json-values.js';

/** What GitHub says of the run that this step belongs to. Nothing in it comes from files of the checkout. */
export interface CiRun {
  /** `push`, `pull_request`, … */
  readonly event: string;
  /** `refs/heads/main`, `refs/pull/7/merge`, … */
  readonly ref: string;
  /** The rules of the repository protect the ref. */
  readonly isProtected: boolean;
  /** `owner/name` */
  readonly repository: string;
  readonly defaultBranch: string | undefined;
  readonly pullRequest: PullRequest | undefined;
  /** Runners of GitHub are thrown away after each job. */
  readonly isSelfHosted: boolean;
}

/** What a run is to decide upon. The commits are those of its event: branches may have moved on. */
export interface PullRequest {
  readonly number: number;
  readonly isFork: boolean;
  readonly head?: string | undefined;
  readonly base?: { readonly commit: string; readonly ref: string } | undefined;
}

/** Reads the environment of a step and the file with its event. What is missing or of another shape is left out. */
export function readCiRun(env: Readonly<Record<string, string | undefined>>): CiRun {
  const event = asObject(readEvent(env.GITHUB_EVENT_PATH));
  const repository = env.GITHUB_REPOSITORY ?? '';
  const pull = event.pull_request === undefined ? undefined : asObject(event.pull_request);
  const number = pull?.number;
  return {
    event: env.GITHUB_EVENT_NAME ?? '',
    ref: env.GITHUB_REF ?? '',
    isProtected: env.GITHUB_REF_PROTECTED === 'true',
    repository,
    defaultBranch: asText(asObject(event.repository).default_branch),
    pullRequest:
      typeof number === 'number' && Number.isSafeInteger(number) && number > 0
        ? // A head that was deleted has no repository, and then nobody vouches for it.
          {
            number,
            isFork: asText(asObject(asObject(pull?.head).repo).full_name) !== repository,
            head: asCommit(asObject(pull?.head).sha),
            base: asBase(asObject(pull?.base)),
          }
        : undefined,
    isSelfHosted: env.RUNNER_ENVIRONMENT === 'self-hosted',
  };
}

function readEvent(file: string | undefined): unknown {
  try {
    return file === undefined ? undefined : readJson(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function asBase({ sha, ref }: Readonly<Record<string, unknown>>): PullRequest['base'] {
  const commit = asCommit(sha);
  return commit === undefined ? undefined : { commit, ref: asText(ref) ?? commit.slice(0, 10) };
}

/** What goes to git as an argument is a whole id and nothing else. */
function asCommit(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(value) ? value : undefined;
}
