import { pluginWorkspace, WITH_PLUGIN } from './harness/plugin-workspace.js';
import { story } from './harness/story.js';
import { createWorkspace, type Files, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

interface LastRun {
  readonly totals: Record<string, number>;
  readonly push: { readonly remote: string; readonly files: number } | null;
  readonly gc: object | null;
  readonly stages: readonly { readonly target: string; readonly outcome: string; readonly ms: number }[];
}

function lastRun(): LastRun {
  return JSON.parse(w.read('.sluice/last-run.json'));
}

story('a batch gives what single tasks give, and the summary is seen', async () => {
  w = await pluginWorkspace();
  const first = await w.nx('run-many', '-t', 'page', '-p', 'report', '--batch');
  expect(first).toMatch(/^Sluice: 4 stages: 3 ran, 1 committed$/m);
  expect(w.read('report/page.txt')).toBe('a\nb\n');
  const locks = ['data', 'packages/model', 'report'].map((project) => w.read(`${project}/sluice-lock.json`));

  const again = await w.nx('run-many', '-t', 'page', 'show', '-p', 'report', '--batch');
  expect(again).toMatch(/^Sluice: 4 stages: 4 unchanged; saved \d+/m);
  expect(lastRun()).toMatchObject({ totals: { unchanged: 4, failed: 0 }, push: null, gc: null });
  expect(['data', 'packages/model', 'report'].map((project) => w.read(`${project}/sluice-lock.json`))).toEqual(locks);

  // Data stays where it is unless somebody reads it: here a task that is no stage does.
  for (const path of ['packages/model/f', 'packages/model/w.txt', 'report/page.txt']) w.remove(path);
  const lazy = await w.nx('run', 'report:page', '--batch');
  expect(lazy).toContain('2 outs left reference-only');
  expect([w.exists('packages/model/w.txt'), w.exists('report/page.txt')]).toEqual([false, true]);
  expect(await w.nx('run', 'report:show', '--batch', '--output-style=static')).toContain('a\nb\n');
  expect([w.exists('packages/model/f'), w.exists('packages/model/w.txt')]).toEqual([false, true]);

  const gpu = await w.nx('run', '@acme/model:train:gpu', '--batch', '--output-style=static');
  expect(gpu).toContain('trained on gpu');
  expect(w.read('packages/model/w.txt')).toBe('a\nb\na\nb\n');
});

story('a failing stage fails its task and those behind it, and no other', async () => {
  w = await pluginWorkspace();
  for (const batch of ['--batch', '--batch=false']) {
    const ended = await w.try('nx', 'run-many', '-t', 'after-broken', 'page', 'show', '-p', 'report', batch);
    expect(ended.code).not.toBe(0);
    expect(ended.output).toMatch(/ERR_COMMAND_FAILED: report:broken: .* exit code 3/);
    expect(ended.output).toContain('failed: report:broken (ERR_COMMAND_FAILED)');
    expect(lastRun().totals).toMatchObject({ failed: 1 });
    expect(w.read('report/page.txt')).toBe('a\nb\n');
  }
});

story('a command has the environment of a task of its own', async () => {
  w = await createWorkspace({
    'nx.json': WITH_PLUGIN,
    'p/project.json': {
      name: 'p',
      targets: {
        env: {
          executor: '@sluice/nx:stage',
          options: { command: 'env > env.txt', outs: ['{projectRoot}/env.txt'], always: true },
          configurations: { ci: {} },
        },
      },
    },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dotenv puts other values there.
    '.env': 'A=root\nB=root\nONLY_ROOT=${A}\n',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dotenv puts other values there.
    '.env.ci': 'D=${C}\n',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dotenv puts other values there.
    'p/.env': 'A=project\nC=${B}-${A}\n',
    'p/.env.env': 'B=target\n',
  });
  const variables = (): Record<string, string> =>
    Object.fromEntries(
      w
        .read('p/env.txt')
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2))
        .filter(([name = '']) => !/^(NX_INVOCATION_|NX_TASK_HASH|_$|SHLVL)/.test(name)),
    );
  await w.nx('run', 'p:env:ci');
  const single = variables();
  expect(single).toMatchObject({ A: 'project', B: 'target', C: 'target-project', D: 'target-project' });
  await w.nx('run', 'p:env:ci', '--batch');
  expect(variables()).toEqual(single);
});

/** Chains of ten stages in each of twelve projects. */
function chains(): Files {
  const files: Record<string, object | string> = { 'nx.json': { ...WITH_PLUGIN, parallel: 4 } };
  for (let p = 0; p < 12; p++) {
    const targets = Object.fromEntries(
      Array.from({ length: 10 }, (_, at) => [
        `s${at}`,
        {
          executor: '@sluice/nx:stage',
          options: {
            command: `cat ${at === 0 ? 'in.txt' : `o${at - 1}`} > o${at}; echo ${at} >> ../runs.log`,
            deps: [at === 0 ? '{projectRoot}/in.txt' : `{projectRoot}/o${at - 1}`],
            outs: [`{projectRoot}/o${at}`],
          },
        },
      ]),
    );
    files[`p${p}/project.json`] = { name: `p${p}`, targets };
    files[`p${p}/in.txt`] = `${p}\n`;
  }
  return { ...files, '.gitignore': 'node_modules/\n.nx/\n.sluice/\nruns.log\n' };
}

story('120 stages in a batch: order, then nothing, then only what a change reaches', async () => {
  w = await createWorkspace(chains());
  const targets = Array.from({ length: 10 }, (_, at) => `s${at}`).join(',');
  const run = async (): Promise<string> => await w.nx('run-many', '-t', targets, '--batch');
  expect(await run()).toMatch(/^Sluice: 120 stages: 120 ran$/m);
  expect(w.read('p11/o9')).toBe('11\n');
  w.remove('runs.log');
  await w.commitAll('First results');
  expect(await run()).toMatch(/^Sluice: 120 stages: 120 unchanged; saved /m);
  expect([w.exists('runs.log'), await w.git('status', '--porcelain')]).toEqual([false, '']);

  w.write({ 'p3/in.txt': 'other\n' });
  expect(await run()).toMatch(/^Sluice: 120 stages: 110 unchanged, 10 ran; saved /m);
  expect(w.read('p3/o9')).toBe('other\n');
  w.write({ 'p3/in.txt': '3\n' });
  expect(await run()).toMatch(/^Sluice: 120 stages: 110 unchanged, 10 restored; saved /m);
  expect(w.read('p3/o9')).toBe('3\n');
});

story('sluice.json says what is done after a run', async () => {
  w = await pluginWorkspace();
  await w.sluice('init', '--remote', 'file:../remote');
  const config = JSON.parse(w.read('sluice.json'));
  w.write({ 'sluice.json': { ...config, push: 'after-run', gc: 'after-run' } });
  const output = await w.nx('run', 'report:page');
  expect(output).toMatch(/^Sluice: 4 stages: 3 ran, 1 committed; pushed 8 B to origin$/m);
  // Two of the four files are outs with the same bytes: one root.
  expect(lastRun()).toMatchObject({ push: { remote: 'origin', files: 3 }, gc: { objects: 0 } });
  await w.commitAll('Results');

  // Somebody else gets it from there, and only what is read.
  const clone = await w.clone('clone');
  const restored = await clone.nx('run', 'report:page');
  expect(restored).toMatch(/^Sluice: 4 stages: 3 unchanged, 1 restored; received 4 B; pushed 0 B to origin$/m);

  // A remote that is down fails nothing.
  w.write({ 'sluice.json': { ...config, push: 'after-run', remotes: { origin: { url: 'file:nx.json' } } } });
  expect(await w.nx('run', 'report:page')).toContain('push after the run failed: ERR_');
});
