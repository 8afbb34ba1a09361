import { noRemoteNotice } from './no-remote-notice.js';

const writing = { mayWrite: true };
const hosted = { isSelfHosted: false };
const cause = 'no remote is configured, and the runner gives no token for the cache of the repository.';
const fix = 'Add one to sluice.json (sluice remote add NAME URL), or give the URL of one as the input "remote".';

test('a job whose workspaces all have a remote is told nothing', () => {
  expect(noRemoteNotice([], '/repo', writing, hosted)).toBeUndefined();
});

test('what the lack of a remote costs depends on the job', () => {
  expect(noRemoteNotice(['/repo'], '/repo', writing, hosted)).toBe(
    `Results are not kept after this job: ${cause} ${fix}`,
  );
  expect(noRemoteNotice(['/repo'], '/repo', writing, { isSelfHosted: true })).toBe(
    `Results stay in the store of this runner alone: ${cause} ${fix}`,
  );
  expect(noRemoteNotice(['/repo'], '/repo', { mayWrite: false }, hosted)).toBe(
    `Results of other jobs cannot be restored: ${cause} ${fix}`,
  );
});

test('workspaces below the checkout are named, and nothing in their names is hidden', () => {
  expect(noRemoteNotice(['/repo/a', '/repo/b\n::error::x'], '/repo', writing, hosted)).toContain(
    'no remote is configured for a, b\\n::error::x, and the runner',
  );
});
