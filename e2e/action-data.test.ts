import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startCommentsApi } from '../packages/action/src/testing/comments-api.js';
import { useFaultProxy, useS3Server } from '../packages/engine/src/testing/s3.js';
import { startCacheServer } from '../scripts/actions-cache/server.mjs';
import { beginJob, type JobOptions } from './harness/action.js';
import { pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const { server, newBucket } = useS3Server();
const proxy = useFaultProxy(server);

/** What data a job moves, from where, and what it tells of it. */
let workspace: Workspace;
afterEach(() => workspace.delete());

/** The same workspace with a new bucket behind the proxy as its default remote. */
async function withBucket(made: Workspace): Promise<Workspace> {
  const bucket = await newBucket();
  const main = { url: `s3://${bucket}/data`, endpoint: proxy().endpoint };
  made.write({ 'sluice.json': { defaultRemote: 'main', remotes: { main } } });
  await made.commitAll('Use a bucket');
  return made.with({ ...made.env, ...server().env });
}

story('a pull request is told how its data differs, in one comment that follows it', async () => {
  workspace = await pipelineWorkspace();
  const remote = join(dirname(workspace.root), 'remote');
  mkdirSync(remote);
  workspace.write({ 'sluice.json': { defaultRemote: 'main', remotes: { main: { url: `file:${remote}` } } } });
  expect(await beginJob(workspace).run('main')).toMatchObject({ code: 0 });
  await workspace.git('branch', 'start');
  const base = await workspace.commitAll('Commit the results');

  const api = await startCommentsApi('/repos/acme/data', 7, 'comment-token-value');
  try {
    const clone = await workspace.clone('clone');
    await clone.git('switch', '--quiet', '-c', 'change');
    clone.write({ 'p/in.txt': 'hello again\n', 'p/params.yaml': 'count:\n  unit: words\nreport:\n  title: none\n' });
    const head = await clone.commitAll('Change');
    const pull = {
      number: 7,
      head: { sha: head, repo: { full_name: 'acme/data' } },
      base: { sha: base, ref: 'main' },
    };
    const options: JobOptions = {
      event: 'pull_request',
      ref: 'refs/pull/7/merge',
      payload: { pull_request: pull },
      env: { GITHUB_API_URL: api.url, GITHUB_SERVER_URL: 'https://github.com', GITHUB_JOB: 'data' },
    };
    const inputs = { 'comment-token': 'comment-token-value' };
    const first = await beginJob(clone, options).run('main', inputs);
    expect(first).toMatchObject({ code: 0, outputs: { area: 'pr/7' } });
    const { review = '' } = first.outputs;
    expect(review).toMatch(/^### Data: <code>main<\/code> → <code>this run<\/code>\n/);
    expect(review).toContain('| <code>p/upper.txt</code> | 1 → 1 | 6 B → 12 B | 12 B | 1 modified |');
    expect(review).toContain(
      '| <code>p/params.yaml:count.unit</code> | <code>&#34;bytes&#34;</code> | <code>&#34;words&#34;</code> |',
    );
    expect(first.summary).toContain(review);
    expect(first.summary).toContain('```mermaid\nflowchart LR\n');
    expect(api.comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/^<!-- sluice-review [0-9a-f]{16} -->\n### Data: [\s\S]*actions\/runs\/1\)<\/sub>$/),
    ]);

    clone.write({ 'p/in.txt': 'hello\n' });
    await clone.commitAll('Change back');
    expect(await beginJob(clone, options).run('main', inputs)).toMatchObject({ code: 0 });
    expect(api.comments).toHaveLength(1);
    expect(api.comments[0]?.body).not.toContain('p/upper.txt');
    expect(api.comments[0]?.body).toContain('count.unit');

    api.refuse = () => 403;
    const refused = await beginJob(clone, options).run('main', inputs);
    expect(refused).toMatchObject({ code: 0 });
    expect(refused.stdout).toMatch(
      /^::warning::the review could not be kept as a comment: .*403.*pull-requests: write/m,
    );
  } finally {
    api.stop();
  }
});

story('the cache of the repository lies before the bucket, is filled from it, and each is accounted for', async () => {
  workspace = await withBucket(await pipelineWorkspace());
  const cache = await startCacheServer({});
  try {
    const env = cache.env();
    const first = await beginJob(workspace, { env }).run('main', { remote: 'main' });
    expect(first).toMatchObject({ code: 0, outputs: { 'stages-ran': '3' } });
    expect(cache.entries()).toEqual([]);
    await workspace.commitAll('Commit the results');
    const restored = { code: 0, outputs: { 'stages-restored': '1', 'stages-unchanged': '2' } };

    const inputs = { remote: 'actions-cache:, main' };
    const second = await beginJob(await workspace.clone('second'), { env }).run('main', inputs);
    expect(second).toMatchObject(restored);
    expect(second.summary).toMatch(/<code>main<\/code> \(s3\) \| [^|0][^|]* in \d+ parts/);
    expect(cache.entries().length).toBeGreaterThan(0);

    const third = await workspace.clone('third');
    proxy().seen.length = 0;
    const ended = await beginJob(third, { env }).run('main', inputs);
    expect(ended).toMatchObject(restored);
    expect(ended.summary).toMatch(/<code>environment<\/code> \(actions-cache\) \| [^|0][^|]* in \d+ parts/);
    expect(proxy().seen.filter((line) => /^GET .*\/(packs|blobs)\//.test(line))).toEqual([]);
    expect(third.read('p/report.txt')).toBe(workspace.read('p/report.txt'));
  } finally {
    await cache.stop();
  }
});

const PAIRS = 10;

/** Ten stages that make data, and ten that use it, each in a project of its own. */
async function twentyStages(): Promise<Workspace> {
  const stage = (options: object): object => ({ executor: '@sluice/nx:stage', cache: false, options });
  const files = Array.from({ length: PAIRS }, (_, at) => {
    const make = stage({
      command: `echo make${at} >> ../runs.log; mkdir made; for i in 1 2 3; do echo "${at} $i" | tee made/$i; done`,
      deps: ['{projectRoot}/in.txt'],
      outs: ['{projectRoot}/made'],
    });
    const use = stage({
      command: `echo use${at} >> ../runs.log; cat made/* use.txt > used.txt`,
      deps: ['{projectRoot}/made', '{projectRoot}/use.txt'],
      outs: ['{projectRoot}/used.txt'],
      materialize: 'lazy',
    });
    return {
      [`p${at}/project.json`]: { name: `p${at}`, targets: { make, use: { ...use, dependsOn: ['make'] } } },
      [`p${at}/in.txt`]: `${at}\n`,
      [`p${at}/use.txt`]: 'use\n',
    };
  });
  const made = await createWorkspace({
    ...Object.assign({}, ...files),
    '.gitignore': 'node_modules/\n.nx/\nruns.log\n',
  });
  return withBucket(made.with({ ...made.env, NX_BATCH_MODE: 'true' }));
}

story(
  'two jobs at once share a remote; a fresh runner moves nothing for 20 unchanged stages, and for one that changed only its deps',
  async () => {
    workspace = await twentyStages();
    const other = await workspace.clone('other');
    const halves = await Promise.all([
      beginJob(workspace).run('main', { projects: 'p0,p1,p2,p3,p4,p5' }),
      beginJob(other).run('main', { projects: 'p4,p5,p6,p7,p8,p9' }),
    ]);
    for (const half of halves) expect(half).toMatchObject({ code: 0, outputs: { 'stages-failed': '0' } });
    const joined = await beginJob(workspace).run('main');
    expect(joined).toMatchObject({ code: 0, outputs: { stages: '20', 'stages-ran': '0', 'stages-failed': '0' } });
    expect(takeRuns(workspace)).toHaveLength(12);
    await workspace.commitAll('Commit the results');

    const fresh = await workspace.clone('fresh');
    proxy().seen.length = 0;
    const idle = await beginJob(fresh).run('main');
    expect(idle).toMatchObject({
      code: 0,
      outputs: { stages: '20', 'stages-unchanged': '20', 'bytes-received': '0', 'bytes-pushed': '0', review: '' },
    });
    expect(proxy().seen.length).toBeLessThanOrEqual(40);
    expect(proxy().seen.filter((line) => /\/(packs|blobs)\//.test(line))).toEqual([]);
    expect(fresh.exists('p3/made')).toBe(false);

    fresh.write({ 'p3/use.txt': 'use it otherwise\n' });
    await fresh.commitAll('Change one');
    const changed = await beginJob(fresh).run('main');
    expect(changed).toMatchObject({ code: 0, outputs: { 'stages-ran': '1', 'stages-unchanged': '19' } });
    expect(takeRuns(fresh)).toEqual(['use3']);
    expect(Object.keys(fresh.hashes('p3/made'))).toHaveLength(3);
    for (let at = 0; at < PAIRS; at++) if (at !== 3) expect(fresh.exists(`p${at}/made`)).toBe(false);
    expect(changed.outputs['bytes-received']).toBe(String(3 * '3 1\n'.length));
  },
);
