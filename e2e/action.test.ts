import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startCacheServer } from '../scripts/actions-cache/server.mjs';
import { nodeOf } from '../scripts/node-of.mjs';
import { beginJob, SECRETS } from './harness/action.js';
import { pipelineProject, pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import type { Workspace } from './harness/workspace.js';

/** The bundled action as processes, with the files and variables of a runner. */
let workspace: Workspace;
let remote: string;
/** What runners start actions with. */
let node24: string;

beforeAll(async () => {
  node24 = await nodeOf('24');
}, 180_000);
beforeEach(async () => {
  workspace = await pipelineWorkspace();
  remote = join(dirname(workspace.root), 'remote');
  mkdirSync(remote);
  workspace.write({ 'sluice.json': { defaultRemote: 'main', remotes: { main: { url: `file:${remote}` } } } });
  await workspace.commitAll('Configure a remote');
});
afterEach(() => workspace.delete());

story('a job runs what is not known and pushes it; a job on a fresh clone restores it without a lock', async () => {
  const job = beginJob(workspace, { node: node24 });
  const first = await job.run('main');
  expect(first.output).toContain('trusted area');
  expect(first).toMatchObject({
    code: 0,
    outputs: {
      stages: '3',
      'stages-ran': '3',
      'stages-restored': '0',
      'lock-changed': 'true',
      'changed-stages': '["p:count","p:report","p:upper"]',
      area: 'trusted',
    },
  });
  expect(takeRuns(workspace)).toEqual(['upper', 'count', 'report']);
  expect(Number(first.outputs['objects-pushed'])).toBeGreaterThan(3);
  expect(first.summary).toContain('### Sluice: 3 stages: 3 ran');
  expect(first.summary).toContain('<code>p&#58;upper</code>');
  expect(JSON.parse(readFileSync(first.outputs.report ?? '', 'utf8'))).toMatchObject({
    schema: 1,
    area: 'trusted',
    push: { enabled: true },
    totals: { stages: 3, ran: 3 },
    workspaces: [{ root: workspace.root, exitCode: 0, problems: [] }],
  });
  const post = await job.run('post');
  expect(post).toMatchObject({ code: 0, summary: '' });

  const clone = await workspace.clone('clone');
  const second = await beginJob(clone).run('main', { targets: 'report', args: '"--output-style=static"' });
  expect(second).toMatchObject({
    code: 0,
    outputs: { 'stages-ran': '0', 'stages-restored': '3', 'bytes-pushed': '0' },
  });
  expect(takeRuns(clone)).toEqual([]);
  expect(clone.read('p/report.txt')).toBe(workspace.read('p/report.txt'));
});

story('a stage has no secret of the job, and the runner obeys nothing that it prints', async () => {
  const dump =
    'echo "::set-output name=x::1"; echo "::add-mask::word-of-the-stage" >&2; env > env.txt; printf "no end of line"';
  workspace.write(pipelineProject({ upper: { command: dump, outs: ['{projectRoot}/env.txt'] } }));
  const job = beginJob(workspace, {
    env: { AWS_SECRET_ACCESS_KEY: 'cloud-key', AWS_SESSION_TOKEN: 'kept', VISIBLE: 'yes' },
  });
  const inputs = {
    targets: 'upper',
    'comment-token': 'comment-token-value',
    'pass-env': 'AWS_SESSION_TOKEN',
    args: '--output-style=static',
  };
  const ended = await job.run('main', inputs);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const seen = workspace.read('p/env.txt');
  expect(seen).toContain('VISIBLE=yes');
  expect(seen).toContain('AWS_SESSION_TOKEN=kept');
  for (const name of [...Object.keys(SECRETS), 'AWS_SECRET_ACCESS_KEY', 'SLUICE_REPORT_NOTES', 'SLUICE_BROKER'])
    expect(seen).not.toContain(`${name}=`);
  expect(seen).not.toMatch(/^(ACTIONS|INPUT|STATE|SLUICE_BROKER)_/m);
  expect(seen).not.toMatch(/^GITHUB_(ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)=/m);
  expect(seen).not.toMatch(/-token-value|cloud-key/);
  expect(ended.stdout).toContain('::add-mask::comment-token-value');

  const lines = ended.output.split('\n');
  const stop = lines.findIndex((line) => line.startsWith('::stop-commands::'));
  const word = (lines[stop] ?? '').slice('::stop-commands::'.length);
  const resume = lines.indexOf(`::${word}::`);
  expect(lines.findIndex((line) => line.includes('::set-output'))).toBeGreaterThan(stop);
  expect(lines.findIndex((line) => line.includes('::add-mask::word-of-the-stage'))).toBeGreaterThan(stop);
  expect(resume).toBeGreaterThan(lines.findLastIndex((line) => line.includes('no end of line')));
  expect(lines.slice(0, stop)).toContainEqual(expect.stringMatching(/^::add-mask::[0-9a-f]{64}$/));
});

story('a stage that fails fails the step, and what is done is pushed all the same', async () => {
  workspace.write(pipelineProject({ count: { command: 'exit 3' } }));
  const job = beginJob(workspace);
  const ended = await job.run('main');
  expect(ended).toMatchObject({ code: 1, outputs: { 'stages-ran': '1', 'stages-failed': '1' } });
  expect(ended.summary).toContain('❌ failed');
  expect(Number(ended.outputs['objects-pushed'])).toBeGreaterThan(0);
});

story(
  'wrong inputs, no workspace and wrong declarations fail the step at once, on the line where that is',
  async () => {
    const inputs = await beginJob(workspace).run('main', { push: 'maybe', parallel: '0' });
    expect(inputs).toMatchObject({ code: 1, outputs: {} });
    expect(inputs.stdout).toMatch(/^::error::ERR_USAGE: input parallel: .*%0Ainput push: "maybe" is not one of/);

    const nowhere = await beginJob(workspace, { env: { GITHUB_WORKSPACE: dirname(workspace.root) } }).run('main');
    expect(nowhere.code).toBe(1);
    expect(nowhere.stdout).toContain('::error::ERR_WORKSPACE: there is no nx.json');

    workspace.write(pipelineProject({ upper: { outs: 7 } }));
    const declared = await beginJob(workspace).run('main');
    const line =
      workspace
        .read('p/project.json')
        .split('\n')
        .findIndex((text) => text.includes('"outs": 7')) + 1;
    expect(declared.code).toBe(1);
    expect(declared.stdout).toContain(`::error file=p/project.json,line=${line}::ERR_STAGE_DEFINITION`);
    expect(takeRuns(workspace)).toEqual([]);
  },
);

story(
  'a pull request from a fork and the read-only action push nothing; a remote that is down fails nothing but a strict step',
  async () => {
    const fork = { pull_request: { number: 7, head: { repo: { full_name: 'eve/data' } } } };
    const read = await beginJob(workspace, { event: 'pull_request', ref: 'refs/pull/7/merge', payload: fork }).run(
      'main',
      { targets: 'upper' },
    );
    expect(read).toMatchObject({ code: 0, outputs: { area: 'pr/7', 'stages-ran': '1', 'bytes-pushed': '0' } });
    expect(read.output).toContain('A pull request from a fork only reads.');
    const restore = await beginJob(workspace).run('restore', { targets: 'upper', push: 'always' });
    expect(restore).toMatchObject({ code: 0, outputs: { 'bytes-pushed': '0' } });

    workspace.write({
      'sluice.json': { defaultRemote: 'main', remotes: { main: { url: `file:${remote}/file/below` } } },
    });
    workspace.write({ [join('..', 'remote', 'file')]: 'no directory' });
    const down = await beginJob(workspace).run('main', { targets: 'upper,count' });
    expect(down).toMatchObject({ code: 0, outputs: { 'stages-ran': '1' } });
    expect(down.stdout).toMatch(/^::warning::.*ERR_/m);
    const strict = await beginJob(workspace).run('main', { targets: 'report', strict: 'true' });
    expect(strict.code).toBe(1);
  },
);

story('packages of another version are told of, and a format that is newer than the action is refused', async () => {
  const manifest = 'node_modules/@sluice/nx/package.json';
  const text = workspace.read(manifest);
  // It is a link to the file of all tests.
  workspace.remove(manifest);
  workspace.write({ [manifest]: { ...JSON.parse(text), version: '99.0.0' } });
  const mixed = await beginJob(workspace).run('main', { targets: 'upper' });
  expect(mixed).toMatchObject({ code: 0 });
  expect(mixed.stdout).toMatch(/^::warning::.*@sluice\/nx 99\.0\.0 installed, and the action is \d/m);

  workspace.write({ [join('..', 'remote', 'format')]: workspace.read('../remote/format').replace(/\d+/, '99') });
  const clone = await workspace.clone('clone');
  const newer = await beginJob(clone).run('main', { targets: 'upper' });
  expect(newer).toMatchObject({ code: 1, outputs: { 'stages-failed': '1' } });
  expect(newer.output).toContain('has a format that is not known: {"version":99}');
  expect(newer.summary).toContain('ERR&#95;FORMAT&#95;VERSION');
});

story('without any remote the cache of the repository is one', async () => {
  workspace.write({ 'sluice.json': {} });
  await workspace.commitAll('Configure nothing');
  const server = await startCacheServer({});
  try {
    const env = server.env();
    const first = await beginJob(workspace, { env }).run('main');
    expect(first).toMatchObject({ code: 0, outputs: { 'stages-ran': '3' } });
    expect(Number(first.outputs['objects-pushed'])).toBeGreaterThan(0);
    const clone = await workspace.clone('clone');
    const second = await beginJob(clone, { env }).run('main');
    expect(second).toMatchObject({ code: 0, outputs: { 'stages-ran': '0', 'stages-restored': '3' } });
    expect(second.summary).toContain('(actions-cache)');
  } finally {
    await server.stop();
  }
});

story('a job without a token for any cache runs without a remote, and says once that nothing is kept', async () => {
  workspace.write({ 'sluice.json': {} });
  const env = {
    ACTIONS_RUNTIME_TOKEN: '',
    ACTIONS_RUNTIME_URL: '',
    ACTIONS_RESULTS_URL: '',
    ACTIONS_CACHE_SERVICE_V2: '',
  };
  const main = await beginJob(workspace, { env }).run('main', { targets: 'upper' });
  expect(main).toMatchObject({ code: 0, outputs: { 'stages-ran': '1', 'stages-failed': '0', 'bytes-pushed': '0' } });
  expect(main.stdout).not.toMatch(/^::(?:error|warning)/m);
  expect(main.stdout.match(/^::notice.*/gm)).toEqual([
    expect.stringMatching(/^::notice::Results are not kept after this job: no remote is configured, .* remote add /),
  ]);
});
