import { randomBytes } from 'node:crypto';
import type { PullReport, PushReport, RemoteStatReport, VerifyReport } from '@sluice/engine';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const MIB = 1024 * 1024;

let w: Workspace;
afterEach(() => w?.delete());

async function workspaceWith(settings: object): Promise<Workspace> {
  const target = { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/data'] } };
  const workspace = await createWorkspace({ 'p/project.json': { name: 'p', targets: { data: target } } });
  await workspace.sluice('init', '--remote', 'file:../remote');
  const config = JSON.parse(workspace.read('sluice.json'));
  Object.assign(config.remotes[config.defaultRemote], settings);
  workspace.write({ 'sluice.json': config });
  return workspace;
}

/** Whether another clone gets the very same files. */
async function expectPulled(name: string): Promise<void> {
  const clone = await w.clone(name);
  await clone.json<PullReport>('pull');
  expect(clone.hashes('p/data')).toEqual(w.hashes('p/data'));
  expect(await clone.json<VerifyReport>('verify', '--remote', '--deep')).toMatchObject({ findings: [] });
}

story('a new version of a large file sends what is new in it', async () => {
  w = await workspaceWith({ chunking: true });
  const first = randomBytes(24 * MIB);
  w.write({ 'p/data/large.bin': first, 'p/data/small.txt': 'small\n' });
  await w.sluice('commit');
  await w.commitAll('First');
  expect(await w.json<PushReport>('push')).toMatchObject({ bytes: { sent: first.length + 6, reused: 0 } });
  const second = Buffer.concat([first.subarray(0, 10 * MIB), Buffer.from('x'), first.subarray(10 * MIB)]);
  w.write({ 'p/data/large.bin': second });
  await w.sluice('commit');
  await w.commitAll('Second');
  const { bytes, files } = await w.json<PushReport>('push');
  expect(files).toEqual({ sent: 1, reused: 1 });
  expect(bytes.sent).toBeLessThan(2 * MIB);
  expect(bytes.sent + bytes.reused).toBe(second.length + 6);
  await expectPulled('chunks');
});

story('what gets smaller is compressed on its way, by threads, and comes back as it was', async () => {
  w = await workspaceWith({ compression: 'always' });
  const row = (file: number, i: number): string => `${file},${i},${(i * 7919) % 1000},item-${i % 13}\n`;
  const table = (file: number, rows: number): string => Array.from({ length: rows }, (_, i) => row(file, i)).join('');
  const tables = Array.from({ length: 300 }, (_, i) => [`p/data/table-${i}.csv`, table(i, 1500)]);
  w.write({
    ...Object.fromEntries(tables),
    'p/data/large.csv': table(0, 500_000),
    'p/data/noise': randomBytes(100_000),
  });
  await w.sluice('commit');
  await w.commitAll('Tables');
  const { bytes } = await w.json<PushReport>('push');
  const stat = await w.json<RemoteStatReport>('remote', 'stat');
  expect(stat.referencedBytes).toBe(bytes.sent);
  expect(stat.bytes).toBeLessThan(bytes.sent / 2);
  await expectPulled('compressed');
});
