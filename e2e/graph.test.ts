import { story } from './harness/story.js';
import { createWorkspace, type Files, type Workspace } from './harness/workspace.js';

const NX_JSON = {
  useDaemonProcess: false,
  analytics: false,
  neverConnectToCloud: true,
  plugins: ['@sluice/nx'],
};

const stage = (options: object, rest: object = {}): object => ({ executor: '@sluice/nx:stage', options, ...rest });
const log = (name: string): string => `echo ${name} >> ../runs.log`;

/** raw (kept by hand) -> features:clean -> model:train -> model:report, and a task that is not ours after it. */
const FILES: Files = {
  'nx.json': NX_JSON,
  '.gitignore': 'node_modules/\n.nx/\nruns.log\n',
  'raw/project.json': {
    name: '@data/raw',
    targets: { raw: { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } } },
  },
  'features/project.json': {
    name: 'features',
    targets: {
      clean: stage({
        command: `${log('clean')} && mkdir data && cat ../raw/raw/*.txt > data/all.txt`,
        deps: ['{projectRoot}/clean.cfg', 'raw/raw/**/*.txt'],
        outs: ['{projectRoot}/data'],
      }),
    },
  },
  'features/clean.cfg': '1\n',
  'model/project.json': {
    name: 'model',
    targets: {
      train: stage({
        command: `${log('train')} && mkdir made && wc -c < ../features/data/all.txt > made/size.txt`,
        deps: ['features/data/all.txt'],
        params: ['{projectRoot}/params.yaml:train'],
        outs: ['{projectRoot}/made'],
      }),
      report: stage({
        command: `${log('report')} && cp made/size.txt report.txt`,
        deps: ['{projectRoot}/made'],
        outs: ['{projectRoot}/report.txt'],
      }),
      publish: { executor: 'nx:run-commands', dependsOn: ['report'], options: { command: 'cat model/report.txt' } },
    },
  },
  'model/params.yaml': 'train:\n  rate: 1\n',
  'other/project.json': {
    name: 'other',
    targets: { train: stage({ command: log('other'), deps: ['{projectRoot}/x'] }) },
  },
  'other/x': '',
  'broken/project.json': { name: 'broken', targets: { train: stage({ command: 'true', outs: ['{projectRoot}'] }) } },
};

let w: Workspace;
beforeAll(async () => {
  w = await createWorkspace(FILES);
  w.write({ 'raw/raw/a.txt': 'hello\n' });
}, 120_000);
afterAll(() => w?.delete());

function takeRuns(): string[] {
  if (!w.exists('runs.log')) return [];
  const runs = w.read('runs.log').trim().split('\n');
  w.remove('runs.log');
  return runs;
}

async function project(name: string): Promise<{ targets: Record<string, Record<string, unknown>> }> {
  return JSON.parse((await w.run('nx', 'show', 'project', name, '--json')).stdout);
}

/** The projects that have `target` and that a change in `files` affects. */
async function affected(target: string, ...files: string[]): Promise<string[]> {
  const args = ['show', 'projects', '--affected', `--files=${files.join(',')}`, '--with-target', target, '--json'];
  return JSON.parse((await w.run('nx', ...args)).stdout).sort();
}

story('the first run makes everything in order, although nobody wrote dependsOn', async () => {
  const output = await w.nx('run', 'model:publish');
  expect(takeRuns()).toEqual(['clean', 'train', 'report']);
  expect(output).toContain('6');
  expect(w.read('model/report.txt').trim()).toBe('6');
  await w.commitAll('First results');

  await w.nx('run', 'model:publish');
  expect(takeRuns()).toEqual([]);
});

story('nx show project explains a stage', async () => {
  const { targets } = await project('model');
  expect(targets.train).toMatchObject({
    executor: '@sluice/nx:stage',
    cache: false,
    inputs: [
      '{projectRoot}/project.json',
      '{projectRoot}/params.yaml',
      '{workspaceRoot}/features/sluice-lock.json',
      '{workspaceRoot}/features/project.json',
      '{workspaceRoot}/features/clean.cfg',
      '{workspaceRoot}/raw/sluice-lock.json',
      '{workspaceRoot}/raw/project.json',
    ],
    outputs: ['{projectRoot}/made'],
    dependsOn: [{ projects: ['features'], target: 'clean' }],
    metadata: {
      description: expect.stringMatching(/^Runs `.*` to make model\/made, when something .* has changed$/),
      technologies: ['sluice'],
    },
  });
  expect(targets.publish).not.toHaveProperty('metadata.technologies');
  expect((await project('features')).targets.clean).toMatchObject({
    dependsOn: [{ projects: ['@data/raw'], target: 'raw' }],
  });
});

story('nx graph draws the data', async () => {
  await w.nx('graph', '--file=graph.json');
  const { graph } = JSON.parse(w.read('graph.json'));
  w.remove('graph.json');
  const edges = Object.values<{ source: string; target: string }[]>(graph.dependencies).flat();
  expect(edges.map(({ source, target }) => `${source} -> ${target}`).sort()).toEqual([
    'features -> @data/raw',
    'model -> features',
  ]);
});

story('nx affected follows data', async () => {
  expect(await affected('report', 'features/clean.cfg')).toEqual(['model']);
  expect(await affected('train', 'model/params.yaml')).toEqual(['model']);
  expect(await affected('train', 'raw/sluice-lock.json')).toEqual(['model']);
  expect(await affected('clean', 'raw/sluice-lock.json')).toEqual(['features']);
  expect(await affected('train', 'other/x')).toEqual(['other']);
  expect(await affected('clean', 'model/params.yaml')).toEqual([]);
});

story('nx affected runs what has to run, and nothing else', async () => {
  w.write({ 'features/clean.cfg': '2\n' });
  const output = await w.nx('affected', '-t', 'report', '--files=features/clean.cfg', '--output-style=static');
  expect(output).toMatch(/model:report/);
  // The cleaned data is the same, so nobody else had to run.
  expect(takeRuns()).toEqual(['clean']);
  await w.commitAll('Another setting');
});

story('run-many runs all stages once, in order', async () => {
  w.write({ 'raw/raw/b.txt': 'more\n' });
  await w.nx('run-many', '-t', 'report', 'train', '--exclude=broken', '--skip-nx-cache');
  expect(takeRuns().filter((name) => name !== 'other')).toEqual(['clean', 'train', 'report']);
  expect(w.read('model/report.txt').trim()).toBe('11');
  await w.commitAll('More data');
});

story('a broken stage fails when it runs, and only then', async () => {
  expect(JSON.parse((await w.run('nx', 'show', 'projects', '--json')).stdout)).toContain('broken');
  const { targets } = await project('broken');
  expect(targets.train).toMatchObject({
    cache: false,
    metadata: { description: expect.stringMatching(/^Cannot run[.] ERR_STAGE_DEFINITION/) },
  });
  const ended = await w.try('nx', 'run', 'broken:train');
  expect(ended).toMatchObject({ code: 1, output: expect.stringContaining('ERR_STAGE_DEFINITION: stage broken:train') });
});

story('a circle through data is named in full when a stage of it runs, and stops no other command', async () => {
  const before = w.read('raw/project.json');
  w.write({
    'raw/project.json': {
      name: '@data/raw',
      targets: { raw: stage({ command: 'true', deps: ['model/report.txt'], outs: ['{projectRoot}/raw'] }) },
    },
  });
  expect(JSON.parse((await w.run('nx', 'show', 'projects', '--json')).stdout)).toContain('@data/raw');
  const ended = await w.try('nx', 'run', 'features:clean');
  expect(ended.code).toBe(1);
  expect(ended.output).toContain(
    "ERR_CYCLE: stages need each other's outs in a circle: @data/raw:raw -> model:report -> model:train -> features:clean -> @data/raw:raw",
  );
  w.write({ 'raw/project.json': before });
});
