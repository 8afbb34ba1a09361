import type { CiRun } from './ci-run.js';
import { standingOf } from './standing.js';

const PUSH: CiRun = {
  event: 'push',
  ref: 'refs/heads/main',
  isProtected: false,
  repository: 'acme/data',
  defaultBranch: 'main',
  pullRequest: undefined,
  isSelfHosted: false,
};

test.each<[string, Partial<CiRun>, string, boolean]>([
  ['a push to the default branch', {}, 'trusted', true],
  ['a schedule on it', { event: 'schedule' }, 'trusted', true],
  ['a push to a protected branch', { ref: 'refs/heads/release', isProtected: true }, 'trusted', true],
  ['a push to another branch', { ref: 'refs/heads/try' }, 'shared', true],
  ['a branch when the default one is not known', { defaultBranch: undefined }, 'shared', true],
  ['a branch with a name like the default one', { ref: 'refs/heads/main/x' }, 'shared', true],
  ['a dispatch on another branch', { event: 'workflow_dispatch', ref: 'refs/heads/try' }, 'shared', true],
  ['a merge queue', { event: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/pr-1' }, 'shared', true],
  ['a tag', { ref: 'refs/tags/v1' }, 'trusted', false],
  ['a release', { event: 'release', ref: 'refs/tags/v1' }, 'trusted', false],
  ['an event that anyone can cause', { event: 'issue_comment' }, 'trusted', false],
  ['a workflow that a fork may have caused', { event: 'workflow_run' }, 'trusted', false],
  ['pull_request_target', { event: 'pull_request_target', pullRequest: { number: 3, isFork: true } }, 'trusted', false],
  [
    'a pull request',
    { event: 'pull_request', ref: 'refs/pull/3/merge', pullRequest: { number: 3, isFork: false } },
    'pr/3',
    true,
  ],
  ['a pull request from a fork', { event: 'pull_request', pullRequest: { number: 3, isFork: true } }, 'pr/3', false],
  [
    'a protected ref makes no pull request trusted',
    { event: 'pull_request', isProtected: true, pullRequest: { number: 3, isFork: false } },
    'pr/3',
    true,
  ],
  ['a pull request that is not named', { event: 'pull_request' }, 'shared', false],
  ['no event at all', { event: '', ref: '' }, 'trusted', false],
])('%s', (_, run, area, mayWrite) => {
  expect(standingOf({ ...PUSH, ...run })).toMatchObject({ area, mayWrite });
});
