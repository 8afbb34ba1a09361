import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import type { InitReport, PushReport } from '@sluice/engine';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

const track = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } };

/** A workspace whose data is at `old` on main and at `new` on the branch `next`. */
async function twoBranches(): Promise<Workspace> {
  w = await createWorkspace({ 'people/project.json': { name: 'people', targets: { raw: track } } });
  await w.sluice('init', '--remote', 'file:../remote', '--hooks');
  w.write({ 'people/raw/1.jpg': 'old', 'people/raw/2.jpg': 'same' });
  await w.sluice('commit');
  await w.commitAll('Old');
  await w.git('branch', '--move', '--force', 'main');
  await w.git('switch', '--quiet', '--create', 'next');
  w.write({ 'people/raw/1.jpg': 'new', 'people/raw/3.jpg': 'new' });
  await w.sluice('commit');
  await w.commitAll('New');
  return w;
}

const names = (): string[] => Object.keys(w.hashes('people/raw'));

story('data follows git switch, and changes that nobody saved stay', async () => {
  await twoBranches();
  await w.git('switch', '--quiet', 'main');
  expect([w.read('people/raw/1.jpg'), names()]).toEqual(['old', ['1.jpg', '2.jpg']]);
  await w.git('switch', '--quiet', 'next');
  expect([w.read('people/raw/1.jpg'), names()]).toEqual(['new', ['1.jpg', '2.jpg', '3.jpg']]);

  w.write({ 'people/raw/1.jpg': 'not saved' });
  const switched = await w.run('git', 'switch', 'main');
  expect(switched.output).toContain('people/raw has changes that are committed nowhere, so it stays as it is');
  expect([w.read('people/raw/1.jpg'), names()]).toEqual(['not saved', ['1.jpg', '2.jpg', '3.jpg']]);
  await w.sluice('checkout', '--force');
  expect(names()).toEqual(['1.jpg', '2.jpg']);

  expect((await w.run('git', 'merge', 'next')).output).toContain('sluice: restored');
  expect(w.read('people/raw/1.jpg')).toBe('new');
  // Nothing of a lock changed, so nothing is looked at.
  w.write({ 'people/raw/1.jpg': 'not saved' });
  expect((await w.run('git', 'switch', '--create', 'other')).output).not.toMatch(/sluice|warning/);
});

story('locks are not published before their data', async () => {
  await twoBranches();
  execFileSync('git', ['init', '--quiet', '--bare', w.path('..', 'hub.git')]);
  await w.git('remote', 'add', 'origin', w.path('..', 'hub.git'));
  const refused = expectCode(await w.try('git', 'push', 'origin', 'main', 'next'), 1, 'git push');
  expect(refused.output).toContain('ERR_NOT_PUSHED: no remote holds people:raw people/raw and 1 other out, 5 files');
  expect(await w.git('ls-remote', 'origin')).toBe('');
  // What is pushed decides, not what lies in the workspace.
  await w.git('switch', '--quiet', 'main');
  await w.json<PushReport>('push');
  await w.git('push', '--quiet', 'origin', 'main');
  expect(expectCode(await w.try('git', 'push', 'origin', 'next'), 1, 'git push').output).toContain('ERR_NOT_PUSHED');

  const config = JSON.parse(w.read('sluice.json'));
  w.write({ 'sluice.json': { ...config, hooks: { prePush: 'push' } } });
  expect((await w.run('git', 'push', 'origin', 'next')).output).toMatch(/sluice: pushed .* files/);
  expect(await w.json<PushReport>('push', '--rev', 'next')).toMatchObject({ files: { sent: 0 } });
  await w.git('push', '--quiet', 'origin', '--delete', 'next');

  // A remote that does not answer holds nothing for sure.
  w.write({ 'sluice.json': { ...config, remotes: { origin: { url: 'file:package.json' } } } });
  const down = expectCode(await w.try('git', 'push', 'origin', 'next'), 1, 'git push');
  expect(down.output).toContain('ERR_REMOTE_DOWN');
  await w.git('push', '--quiet', '--no-verify', 'origin', 'next');
});

story('hooks of others stay, and are told what they need', async () => {
  w = await createWorkspace({ 'people/project.json': { name: 'people', targets: { raw: track } } });
  const hook = w.path('.git/hooks/pre-push');
  mkdirSync(w.path('.git/hooks'), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  chmodSync(hook, 0o755);
  const text = await w.sluice('init', '--hooks');
  expect(text).toContain('the hook pre-push is not ours, so it stays as it is; add this line to .git/hooks/pre-push:');
  expect(w.read('.git/hooks/pre-push')).toBe('#!/bin/sh\nexit 0\n');
  expect(statSync(w.path('.git/hooks/post-checkout')).mode & 0o777).toBe(0o755);
  const { hooks } = await w.json<InitReport>('init', '--hooks');
  expect(hooks).toMatchObject({
    written: [],
    unchanged: ['post-checkout', 'post-merge'],
    foreign: [{ hook: 'pre-push' }],
  });
  writeFileSync(hook, `#!/bin/sh\n${hooks?.foreign[0]?.line}\n`);
  expect((await w.json<InitReport>('init', '--hooks')).hooks).toMatchObject({ foreign: [] });

  await w.git('config', 'core.hooksPath', '.githooks');
  expect((await w.json<InitReport>('init', '--hooks')).hooks?.written).toEqual([
    'post-checkout',
    'post-merge',
    'pre-push',
  ]);
  expect(w.exists('.githooks/pre-push')).toBe(true);
  await w.git('config', 'core.hooksPath', w.path('..', 'shared hooks'));
  expect((await w.json<InitReport>('init', '--hooks')).hooks).toMatchObject({ written: [], foreign: [{}, {}, {}] });
  expect(w.exists('../shared hooks')).toBe(false);
  await w.git('config', 'core.hooksPath', '.husky/_');
  mkdirSync(w.path('.husky/_'), { recursive: true });
  await w.sluice('init', '--hooks');
  expect([w.exists('.husky/pre-push'), w.exists('.husky/_/pre-push')]).toEqual([true, false]);
});
