import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanReport } from '@sluice/engine';
import type { CiRun } from './ci-run.js';
import { branchForLocks, gitEnv } from './commit-locks.js';
import { parseInputs } from './inputs.js';
import { nxGroups } from './nx-groups.js';
import { parsePlanInputs } from './plan-inputs.js';
import { planOutputs } from './plan-outputs.js';
import { planSummary } from './plan-summary.js';
import { standingOf } from './standing.js';

const env = (inputs: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));

test('stages become as few commands of Nx as run them and no others', () => {
  const stages = ['p:a', 'q:a', 'q:b', 'p:b', 'r:a'].map((name) => ({
    project: name.charAt(0),
    target: name.charAt(2),
  }));
  expect(nxGroups(stages)).toEqual([
    { targets: ['a', 'b'], projects: ['p', 'q'] },
    { targets: ['a'], projects: ['r'] },
  ]);
  expect(nxGroups([])).toEqual([]);
});

const CHANGED = {
  project: 'p',
  target: 'a',
  action: 'run',
  reasons: [{ kind: 'dep', name: '<b>|x', before: '1', after: '2' }],
  why: 'dep <b>|x changed',
  bytes: 2048,
} as const;
const PLAN: PlanReport = {
  stages: [CHANGED, { ...CHANGED, target: 'b', action: 'left' }, { ...CHANGED, target: 'c', action: 'restore' }],
  unchanged: 4,
  levels: [[{ name: 'p:a and 1 more', stages: ['p:a', 'p:d'], why: 'y'.repeat(500) }]],
};

test('a plan as outputs: lists of entries, empty ones too, and what an `if` can ask', () => {
  const outputs = planOutputs(PLAN, '/r/plan.json');
  const [entry] = JSON.parse(outputs['level-1'] ?? '');
  expect(entry).toEqual({ name: 'p:a and 1 more', stages: 'p:a\np:d', why: 'y'.repeat(200) });
  expect(parseInputs(env({ stages: entry.stages })).stages).toEqual(['p:a', 'p:d']);
  expect(outputs).toMatchObject({
    'level-2': '[]',
    'level-4': '[]',
    'has-level-1': 'true',
    'has-level-2': 'false',
    count: '1',
    restorable: '1',
    left: '["p:b"]',
    changed: 'true',
    report: '/r/plan.json',
  });
  const idle = planOutputs({ stages: [], unchanged: 3, levels: [] }, 'x');
  expect(idle).toMatchObject({ 'level-1': '[]', changed: 'false', left: '[]' });
  const huge = { ...PLAN, levels: [[{ name: 'p:a', stages: Array(90_000).fill('p:aaaaaa'), why: '' }]] };
  expect(() => planOutputs(huge, 'x')).toThrow('more than a runner passes on');
});

test('the summary of a plan takes no name for Markdown', () => {
  const summary = planSummary(PLAN, 'Because.');
  expect(summary).toContain('### Sluice: a plan for 7 stages, 4 unchanged');
  expect(summary).toContain('| <code>p&#58;a</code> | 🔨 has to run | dep &lt;b&gt;&#124;x changed | 1 | 2.0 KiB |');
  expect(summary).toContain('1 job in 1 level. Because.');
});

test('inputs of a plan, and what does not go together for locks and stages', () => {
  expect(parsePlanInputs({})).toMatchObject({ stages: [], maxLevels: 4, shards: 256, workingDirectories: ['.'] });
  expect(() => parsePlanInputs(env({ 'max-levels': '5', shards: '257', 'working-directory': 'a\nb' }))).toThrow(
    /max-levels: 5 is more than 4\ninput shards: 257 is more than 256|working-directory/,
  );
  expect(() => parseInputs(env({ stages: 'p:a', targets: 'b', affected: 'true' }))).toThrow(
    'input targets: cannot be given together with "stages"\ninput affected: cannot',
  );
  expect(() => parseInputs(env({ 'commit-lock': 'true', push: 'never' }))).toThrow('locks without their data');
  expect(() => parseInputs(env({ 'commit-lock': 'pull-request' }))).toThrow('input lock-token: is needed');
  expect(() => parseInputs(env({ 'commit-lock': 'true', 'working-directory': 'a\nb' }))).toThrow('needs one workspace');
});

const RUN: CiRun = {
  event: 'push',
  ref: 'refs/heads/feature/x',
  isProtected: false,
  repository: 'acme/data',
  defaultBranch: 'main',
  pullRequest: undefined,
  isSelfHosted: false,
};

test.each([
  ['a push', RUN, 'feature/x'],
  ['a schedule', { ...RUN, event: 'schedule', ref: 'refs/heads/main' }, 'main'],
  ['a tag', { ...RUN, ref: 'refs/tags/v1' }, undefined],
  [
    'a pull request',
    { ...RUN, event: 'pull_request', ref: 'refs/pull/7/merge', pullRequest: { number: 7, isFork: false } },
    undefined,
  ],
  ['an event of others', { ...RUN, event: 'issue_comment', ref: 'refs/heads/main' }, undefined],
  ['a merge queue', { ...RUN, event: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/1' }, undefined],
])('locks of %s', (_, run, branch) => {
  const inputs = parseInputs(env({ 'commit-lock': 'true' }));
  const ask = (): string | undefined => branchForLocks(run, standingOf(run), inputs);
  if (branch === undefined) expect(ask).toThrow('locks are not committed here');
  else expect(ask()).toBe(branch);
  expect(branchForLocks(run, standingOf(run), parseInputs({}))).toBeUndefined();
});

test('git shows the token that is given, and not the one of the checkout beside it', async () => {
  const shown: string[] = [];
  const server = createServer((request, response) => {
    for (let at = 0; at < request.rawHeaders.length; at += 2)
      if (request.rawHeaders[at]?.toLowerCase() === 'authorization') shown.push(request.rawHeaders[at + 1] ?? '');
    response.statusCode = 404;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const dir = mkdtempSync(join(tmpdir(), 'sluice-git-'));
  writeFileSync(join(dir, 'config'), `[http "${url}/"]\n\textraheader = AUTHORIZATION: basic of-the-checkout\n`);
  const ofTheStep = {
    ...process.env,
    GIT_CONFIG_GLOBAL: join(dir, 'config'),
    GITHUB_SERVER_URL: url,
    INPUT_X: 'kept out',
  };
  const env = gitEnv(ofTheStep, 'secret');
  const ask = (given: NodeJS.ProcessEnv): Promise<unknown> =>
    new Promise((resolve) =>
      execFile('git', ['ls-remote', `${url}/acme/data`], { env: { ...given, GIT_TERMINAL_PROMPT: '0' } }, resolve),
    );
  await ask(gitEnv(ofTheStep, undefined));
  expect(new Set(shown.splice(0))).toEqual(new Set(['basic of-the-checkout']));
  await ask(env);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
  expect(new Set(shown)).toEqual(new Set([`basic ${Buffer.from('x-access-token:secret').toString('base64')}`]));
  expect(env.INPUT_X).toBeUndefined();
});
