import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PushReport, StatusReport } from '@sluice/engine';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

/** Makes nothing before the test opens the gate. */
const GATED = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
console.log('half way');
while (!existsSync('../gate')) await new Promise((resolve) => setTimeout(resolve, 50));
writeFileSync('last.txt', readFileSync('first.txt', 'utf8').toUpperCase());
`;

function stage(command: string, dep: string, out: string, dependsOn: string[] = []): object {
  const options = { command, deps: [`{projectRoot}/${dep}`], outs: [`{projectRoot}/${out}`] };
  return { executor: '@sluice/nx:stage', cache: false, dependsOn, options };
}

async function gatedWorkspace(push: string): Promise<Workspace> {
  const first = stage('cat in.txt > first.txt', 'in.txt', 'first.txt');
  const last = stage('node last.mjs', 'first.txt', 'last.txt', ['first']);
  const workspace = await createWorkspace({
    '.gitignore': 'node_modules/\n.nx/\ngate\n',
    'p/project.json': { name: 'p', targets: { first, last } },
    'p/last.mjs': GATED,
    'p/in.txt': 'bytes',
  });
  await workspace.sluice('init', '--remote', 'file:../remote');
  workspace.write({ 'sluice.json': { ...JSON.parse(workspace.read('sluice.json')), push } });
  return workspace;
}

/** Keys of maps on the remote, which are there when all that they name is. */
function mapsOnRemote(): string[] {
  const dir = join(w.root, '../remote');
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /maps\/.*[0-9a-f]{60}/.test(name));
}

story('what a task has made is on the remote before the last one ends', async () => {
  w = await gatedWorkspace('while-running');
  const running = w.start('nx', 'run', 'p:last');
  await running.printed('half way');
  while (mapsOnRemote().length === 0) await sleep(50);
  const [other] = (await w.json<StatusReport>('status', 'p:first', '--remote')).stages;
  expect(other?.outs).toMatchObject([{ path: 'p/first.txt', remote: { origin: 'complete' } }]);
  expect(w.exists('p/last.txt')).toBe(false);
  w.write({ gate: '' });
  const { output } = expectCode(await running.ended, 0, 'nx run p:last');
  expect(output).toMatch(/^Sluice: 2 stages: 2 ran; pushed 10 B to origin$/m);
  expect(await w.json<PushReport>('push')).toMatchObject({ files: { sent: 0, reused: 2 } });
  expect(mapsOnRemote()).toHaveLength(2);
});

story('a remote that is down: the tasks run, and it is told once, at the end', async () => {
  w = await gatedWorkspace('while-running');
  w.write({ gate: '', 'in-the-way': '' });
  const config = JSON.parse(w.read('sluice.json'));
  w.write({ 'sluice.json': { ...config, remotes: { origin: { url: 'file:in-the-way' } } } });
  const output = await w.nx('run', 'p:last');
  expect(output).toMatch(/^Sluice: 2 stages: 2 ran$/m);
  expect(output.match(/push after the run failed: ERR_REMOTE_DOWN/g)).toHaveLength(1);
  expect(w.read('p/last.txt')).toBe('BYTES');
});
