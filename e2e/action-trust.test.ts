import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beginJob } from './harness/action.js';
import { PIPELINE, pipelineProject, pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import type { Workspace } from './harness/workspace.js';

/** The bundled action where trust is strict. The workspace asks for less, as a pull request could make it do. */
const KEY = 'the-key-of-the-team-and-of-nobody-else';
const SIGNED = { env: { SLUICE_SIGNING_KEY: KEY, SLUICE_TRUST: 'areas' } };

let workspace: Workspace;
let remote: string;

beforeEach(async () => {
  workspace = await pipelineWorkspace();
  remote = join(dirname(workspace.root), 'remote');
  mkdirSync(remote);
  workspace.write({
    'sluice.json': { trust: 'areas', defaultRemote: 'main', remotes: { main: { url: `file:${remote}` } } },
    ...pipelineProject({ upper: { command: `env > env.txt && ${PIPELINE.upper.command}` } }),
  });
  await workspace.commitAll('Configure a remote');
});
afterEach(() => workspace.delete());

/** The files of the records that lie in the trusted area. */
function records(): string[] {
  return readdirSync(join(remote, 'trusted/records'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

story('a strict job signs what it pushes and takes nothing else, and its stages have no key', async () => {
  const first = await beginJob(workspace, SIGNED).run('main', { trust: 'strict' });
  expect(first).toMatchObject({ code: 0, outputs: { 'stages-ran': '3', area: 'trusted' } });
  expect(takeRuns(workspace)).toEqual(['upper', 'count', 'report']);
  expect(workspace.read('p/env.txt')).toContain('PATH=');
  expect(workspace.read('p/env.txt')).not.toMatch(/SLUICE_SIGNING_KEY|the-key-of-the-team/);
  const telling = first.output.split('\n').filter((line) => line.includes(KEY));
  expect(telling).toEqual([`::add-mask::${KEY}`]);
  expect(records()).toHaveLength(3);
  for (const file of records()) expect(readFileSync(file, 'utf8')).toMatch(/"signature": "hmac-sha256:[0-9a-f]{64}"/);

  const second = await workspace.clone('second');
  expect(await beginJob(second, SIGNED).run('main', { trust: 'strict' })).toMatchObject({
    code: 0,
    outputs: { 'stages-ran': '0', 'stages-restored': '3' },
  });

  // Somebody with the credentials of the remote, but without the key, was here.
  for (const file of records()) {
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    writeFileSync(file, text.replace('"version": 2', '"version": 1').replace(/,\n {2}"signature": "[^"]+"/, ''));
  }
  const third = await workspace.clone('third');
  const refused = await beginJob(third, SIGNED).run('main', { trust: 'strict' });
  expect(refused).toMatchObject({ code: 0, outputs: { 'stages-ran': '3', 'stages-restored': '0' } });
  expect(refused.stdout).toMatch(/^::warning::.*remote main is not believed: record .* is not signed/m);
  for (const file of records()) expect(readFileSync(file, 'utf8')).toContain('"signature"');

  const fourth = await workspace.clone('fourth');
  const restored = await beginJob(fourth, SIGNED).run('main', { trust: 'strict', strict: 'true' });
  expect(restored).toMatchObject({ code: 0, outputs: { 'stages-ran': '0', 'stages-restored': '3' } });
});

story('a strict job without a key fails before anything runs', async () => {
  const ended = await beginJob(workspace).run('main', { trust: 'strict' });
  expect(ended).toMatchObject({ code: 1, outputs: {} });
  expect(ended.stdout).toMatch(/^::error::ERR_SIGNING_KEY: trust is strict for remote main/m);
  expect(takeRuns(workspace)).toEqual([]);
});
