import type { PullReport, PushReport, StatusReport, StoreStat } from '@sluice/engine';
import { pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import type { Workspace } from './harness/workspace.js';

let w: Workspace;
beforeAll(async () => {
  w = await pipelineWorkspace();
  await w.sluice('init', '--remote', 'file:../remote');
  await w.nx('run', 'p:report');
  await w.commitAll('First results');
  expect((await w.json<PushReport>('push')).files.sent).toBeGreaterThan(0);
}, 120_000);
afterAll(() => w?.delete());

story('a fresh clone knows that everything is up to date without a byte of data', async () => {
  const clone = await w.clone('fresh');
  const { stages } = await clone.json<StatusReport>('status');
  expect(stages.map(({ state }) => state)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  for (const { path, workspace, store } of stages.flatMap(({ outs }) => outs)) {
    const inGit = path === 'p/metrics.json';
    expect({ path, workspace, store }).toEqual({ path, workspace: inGit ? 'present' : 'absent', store: 'absent' });
  }
  expect(await clone.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 0 });

  // A consumer that must run gets the deps that it reads, and no others.
  clone.write({ 'p/params.yaml': clone.read('p/params.yaml').replace('none', 'some') });
  await clone.nx('run', 'p:report');
  expect(takeRuns(clone)).toEqual(['report']);
  expect([clone.exists('p/upper.txt'), clone.exists('p/counted')]).toEqual([false, true]);
  expect(clone.hashes('p/counted')).toEqual(w.hashes('p/counted'));
});

story('pull brings everything, once', async () => {
  const clone = await w.clone('pulled');
  expect(await clone.json<PullReport>('pull')).toMatchObject({ workspace: { written: 4 } });
  for (const path of ['p/upper.txt', 'p/report.txt']) expect(clone.sha256(path)).toBe(w.sha256(path));
  expect(clone.hashes('p/counted')).toEqual(w.hashes('p/counted'));
  expect(await clone.json<PullReport>('pull')).toMatchObject({ files: { received: 0 }, workspace: { written: 0 } });
  expect(await clone.git('status', '--porcelain')).toBe('');
});

story('records let a workspace without any lock restore what another one made', async () => {
  const clone = await w.clone('unlocked');
  clone.remove('p/sluice-lock.json');
  const output = await clone.nx('run', 'p:report');
  expect(takeRuns(clone)).toEqual([]);
  expect(output).toContain('from origin');
  expect(clone.sha256('p/report.txt')).toBe(w.sha256('p/report.txt'));
  expect(await clone.git('status', '--porcelain')).toBe('');
});

story('a remote that is down makes nothing wrong', async () => {
  const clone = await w.clone('alone');
  clone.write({ 'sluice.local.json': { remotes: { origin: { url: 'file:package.json' } } } });
  clone.remove('p/sluice-lock.json');
  const output = await clone.nx('run', 'p:report');
  expect(takeRuns(clone)).toEqual(['upper', 'count', 'report']);
  expect(output).toMatch(/warning: .*origin/);
  // Everything is here, so only who is strict minds.
  expect(await clone.json('pull')).toMatchObject({ files: { received: 0 } });
  expect((await clone.failure(3, 'pull', '--strict')).code).toBe('ERR_REMOTE_DOWN');
});
