import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { StatusReport, StoreStat } from '@sluice/engine';
import { useS3Server } from '../packages/engine/src/testing/s3.js';
import { beginJob, type JobOptions } from './harness/action.js';
import { WITH_PLUGIN } from './harness/plugin-workspace.js';
import { recipe, runWorkflow, unknownNames, type WorkflowOptions } from './harness/workflow.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

/** A pipeline on many machines: the workflow of the documents, with the bundled action as processes and a bucket between them. */

const { server, newBucket } = useS3Server();
const FAN_OUT = recipe('Fan-out');
const LEVELS = ['level-1', 'level-2', 'level-3', 'level-4'] as const;
/** Dozens of processes of Nx. */
const LONG_MS = 900_000;

let seed: Workspace;
let origin: string;
let count = 0;
afterEach(() => seed?.delete());

/** A stage that says in a log which all machines share that it ran, unless a file beside the log makes it fail. */
function stage(name: string, reads: readonly string[], out = name): object {
  const command = `test ! -e "$RUNS.${name}-fails" && echo ${name} >> "$RUNS" && mkdir ${out} && cat ${reads.map((path) => `../${path}`).join(' ')} > ${out}/all && wc -c < ${out}/all > ${out}/size`;
  return { executor: '@sluice/nx:stage', options: { command, deps: reads, outs: [`{projectRoot}/${out}`] } };
}

/** Twelve stages in four levels: four, four, three, one. Each of `b` reads two of `a`, each of `c` two of `b`, and `d1` all of `c`. */
const PROJECTS = {
  a: Object.fromEntries([1, 2, 3, 4].map((n) => [`a${n}`, stage(`a${n}`, [`a/in${n}.txt`])])),
  b: Object.fromEntries([1, 2, 3, 4].map((n) => [`b${n}`, stage(`b${n}`, [`a/a${n}/all`, `a/a${(n % 4) + 1}/all`])])),
  c: Object.fromEntries([1, 2, 3].map((n) => [`c${n}`, stage(`c${n}`, [`b/b${n}/all`, `b/b${n + 1}/size`])])),
  d: { d1: stage('d1', ['c/c1/all', 'c/c2/all', 'c/c3/all', 'd/words.txt']) },
};
const TARGETS = Object.values(PROJECTS).flatMap((targets) => Object.keys(targets));

async function begin(): Promise<void> {
  const made = await createWorkspace({
    'nx.json': WITH_PLUGIN,
    '.gitignore': 'node_modules/\n.nx/\n.sluice/\n/[a-d]/[a-d][1-4]\n',
    ...Object.fromEntries(
      Object.entries(PROJECTS).map(([name, targets]) => [`${name}/project.json`, { name, targets }]),
    ),
    ...Object.fromEntries([1, 2, 3, 4].map((n) => [`a/in${n}.txt`, `in ${n}\n`.repeat(n * 1000)])),
    'd/words.txt': 'words\n',
  });
  // One process for all tasks of a machine, since most are there to say that what they make is known.
  const env = { NX_BATCH_MODE: 'true', RUNS: join(dirname(made.root), 'runs.log') };
  seed = made.with({ ...made.env, ...server().env, ...env });
  const url = `s3://${await newBucket()}/data`;
  await seed.sluice('remote', 'add', 'origin', url, '--endpoint', server().endpoint, '--force-path-style');
  await seed.commitAll('Configure a bucket');
  origin = join(dirname(seed.root), 'origin.git');
  await seed.git('clone', '--quiet', '--bare', seed.root, origin);
}

const checkout = async (): Promise<Workspace> => (await seed.clone(`machine-${++count}`, origin)).with(seed.env);

const run = (options: Partial<WorkflowOptions> = {}) => runWorkflow(FAN_OUT, { checkout, ...options });

/** What ran on any machine since the last call, sorted. */
function takeRuns(): string[] {
  const log = seed.env.RUNS ?? '';
  if (!existsSync(log)) return [];
  const runs = readFileSync(log, 'utf8').trim().split('\n').sort();
  rmSync(log);
  return runs;
}

/** Changes a file for all, as a person does. */
async function push(files: Record<string, string>): Promise<void> {
  const person = await checkout();
  person.write(files);
  await person.commitAll('Change something');
  await person.git('push', '--quiet', 'origin', 'HEAD:main');
}

const stagesOf = (list = '[]'): string[] => JSON.parse(list).map(({ stages }: { stages: string }) => stages);
const LOCKS = Object.keys(PROJECTS).map((project) => `${project}/sluice-lock.json`);

test('the recipe names only what the actions have', () => {
  expect(unknownNames(FAN_OUT)).toEqual([]);
  expect(Object.keys(FAN_OUT.jobs)).toEqual(['plan', ...LEVELS, 'locks']);
});

test(
  'twelve stages in four levels on twelve machines are what a single one makes, byte for byte; then nothing, and then only what changed',
  async () => {
    await begin();
    const first = await run();
    const { outputs } = first.plan ?? {};
    expect(LEVELS.map((level) => stagesOf(outputs?.[level]))).toEqual([
      ['a:a1', 'a:a2', 'a:a3', 'a:a4'],
      ['b:b1', 'b:b2', 'b:b3', 'b:b4'],
      ['c:c1', 'c:c2', 'c:c3'],
      ['d:d1'],
    ]);
    for (const [name, { status, machines }] of Object.entries(first))
      expect([name, status, machines.map(({ ended }) => ended.output)]).toEqual([name, 'success', expect.anything()]);
    expect(takeRuns()).toEqual([...TARGETS].sort());
    const [last] = first.locks?.machines ?? [];
    expect(last?.ended.outputs['lock-commit']).toMatch(/^[0-9a-f]{40}$/);
    expect(await last?.workspace.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0 });

    // One machine, without any remote.
    const single = (await seed.clone('single')).with({ ...seed.env, SLUICE_OFFLINE: '1' });
    await single.nx('run-many', `--targets=${TARGETS.join(',')}`);
    expect(takeRuns()).toEqual([...TARGETS].sort());
    const everyone = await checkout();
    await everyone.sluice('pull');
    for (const lock of LOCKS) expect([lock, everyone.read(lock)]).toEqual([lock, single.read(lock)]);
    for (const project of Object.keys(PROJECTS)) expect(everyone.hashes(project)).toEqual(single.hashes(project));
    expect((await everyone.json<StatusReport>('status')).stages.every(({ state }) => state === 'unchanged')).toBe(true);
    expect(await everyone.git('show', '--format=%s', '--name-only', 'HEAD')).toBe(
      `Update data locks\n\n${LOCKS.join('\n')}\n`,
    );

    const second = await run();
    expect(second.plan?.outputs).toEqual({
      ...Object.fromEntries(LEVELS.map((level) => [level, '[]'])),
      changed: 'false',
    });
    expect([...LEVELS, 'locks'].map((name) => second[name]?.status)).toEqual(Array(5).fill('skipped'));

    await push({ 'd/words.txt': 'other words\n' });
    const third = await run();
    expect(LEVELS.map((level) => stagesOf(third.plan?.outputs[level]))).toEqual([['d:d1'], [], [], []]);
    expect(takeRuns()).toEqual(['d1']);
    expect(third['level-2']?.status).toBe('skipped');
    expect(third.locks?.status).toBe('success');
    expect((await run()).plan?.outputs.changed).toBe('false');
  },
  LONG_MS,
);

test(
  'a machine that fails stops what reads its result, and the next plan has only the rest; who pushes while locks are committed loses nothing',
  async () => {
    await begin();
    const obstacle = `${seed.env.RUNS}.b2-fails`;
    writeFileSync(obstacle, '');
    const first = await run();
    expect(Object.values(first).map(({ status }) => status)).toEqual([
      ...['success', 'success', 'failure'],
      ...['skipped', 'skipped', 'skipped'],
    ]);
    expect(takeRuns()).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b3', 'b4']);

    rmSync(obstacle);
    const { plan, locks } = await run({
      beforeAction: async (job) => {
        if (job === 'locks') await push({ 'README.md': 'written meanwhile\n' });
      },
    });
    const planned = LEVELS.flatMap((level) => stagesOf(plan?.outputs[level])).flatMap((names) => names.split('\n'));
    expect(planned.sort()).toEqual(['b:b2', 'c:c1', 'c:c2', 'c:c3', 'd:d1']);
    expect(takeRuns()).toEqual(['b2', 'c1', 'c2', 'c3', 'd1']);
    expect(locks?.machines[0]?.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('committed 4 locks to main'),
    });
    const everyone = await checkout();
    expect(everyone.read('README.md')).toBe('written meanwhile\n');
    expect((await everyone.git('log', '--format=%s', '-2')).split('\n').slice(0, 2)).toEqual([
      'Update data locks',
      'Change something',
    ]);
    expect((await everyone.json<StatusReport>('status')).stages.every(({ state }) => state === 'unchanged')).toBe(true);
  },
  LONG_MS,
);

test(
  'a pull request carries the locks; where a run may not write, nothing is committed and entries stand alone',
  async () => {
    await begin();
    await beginJob(await checkout()).run('main');
    const asked: { method: string; url: string; token: string; body: string }[] = [];
    const api = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => (body += piece));
      request.on('end', () => {
        asked.push({
          method: request.method ?? '',
          url: request.url ?? '',
          token: request.headers.authorization ?? '',
          body,
        });
        const isFirst = asked.length === 1;
        const found = { number: 7, html_url: 'https://github.test/acme/data/pull/7' };
        response.statusCode = isFirst ? 503 : request.method === 'POST' ? (asked.length === 2 ? 201 : 422) : 200;
        response.end(isFirst ? '' : JSON.stringify(request.method === 'POST' ? found : [found]));
      });
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = api.address() as AddressInfo;
      const options: JobOptions = { env: { GITHUB_API_URL: `http://127.0.0.1:${port}` } };
      const inputs = { command: 'npx sluice relock', 'commit-lock': 'pull-request', 'lock-token': 'token-for-pulls' };
      const before = await seed.git('--git-dir', origin, 'rev-parse', 'main');
      const ended = await beginJob(await checkout(), options).run('main', inputs);
      expect(ended).toMatchObject({
        code: 0,
        outputs: { 'lock-pull-request': 'https://github.test/acme/data/pull/7' },
      });
      expect(ended.output.replace('::add-mask::token-for-pulls', '')).not.toContain('token-for-pulls');
      const [, { body, token } = { body: '{}', token: '' }] = asked;
      const { head, base } = JSON.parse(body);
      expect({ base, token, url: asked[1]?.url }).toEqual({
        base: 'main',
        token: 'Bearer token-for-pulls',
        url: '/repos/acme/data/pulls',
      });
      expect(head).toMatch(/^sluice\/locks-[0-9a-f]{12}$/);
      expect(await seed.git('--git-dir', origin, 'rev-parse', 'main')).toBe(before);
      const changed = await seed.git('--git-dir', origin, 'diff', '--name-only', `main..${head}`);
      expect(changed.trim().split('\n')).toEqual(LOCKS);

      // The same job once more: the branch and the pull request are there.
      const again = await beginJob(await checkout(), options).run('main', inputs);
      expect(again).toMatchObject({ code: 0, outputs: { 'lock-commit': ended.outputs['lock-commit'] } });
      expect(asked.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST', 'GET']);
    } finally {
      api.close();
    }

    const fork = { pull_request: { number: 7, head: { repo: { full_name: 'eve/data' } } } };
    const pull = { event: 'pull_request', ref: 'refs/pull/7/merge', payload: fork };
    const refused = await beginJob(await checkout(), pull).run('main', { 'commit-lock': 'true' });
    expect(refused).toMatchObject({ code: 1, outputs: {} });
    expect(refused.stdout).toContain('::error::ERR_USAGE: input commit-lock: locks are not committed here.');
    const unknown = await beginJob(await checkout()).run('main', { stages: 'a:a1\na:a9' });
    expect(unknown).toMatchObject({ code: 1, stdout: expect.stringContaining('ERR_SELECTOR: input stages: "a:a9"') });
    const changed = await checkout();
    changed.write({ 'a/in1.txt': 'new\n', 'a/in2.txt': 'new\n' });
    const planned = await beginJob(changed, pull).run('plan', { 'max-levels': '3' });
    expect(planned).toMatchObject({
      code: 0,
      outputs: { 'has-level-1': 'true', 'has-level-2': 'false', 'level-2': '[]' },
    });
    expect(stagesOf(planned.outputs['level-1'])).toHaveLength(1);
    const wrong = await beginJob(changed).run('plan', { 'max-levels': '5', shards: '0' });
    expect(wrong.stdout).toMatch(/^::error::ERR_USAGE: input max-levels: 5 is more than 4%0Ainput shards: /);
  },
  LONG_MS,
);
