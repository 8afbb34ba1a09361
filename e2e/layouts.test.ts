import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

let w: Workspace;
afterEach(() => w?.delete());

const PLUGIN = {
  'nx.json': { useDaemonProcess: false, analytics: false, neverConnectToCloud: true, plugins: ['@sluice/nx'] },
};
const stage = (options: object, rest: object = {}): object => ({ executor: '@sluice/nx:stage', options, ...rest });

story('a matrix: Nx runs each combination, and only the new one when an axis grows', async () => {
  const train = (seeds: number[]): object => ({
    name: 'm',
    targets: {
      train: stage({
        matrix: { seed: seeds, model: ['a', 'b'] },
        command: 'mkdir -p out && echo {matrix.seed} {matrix.model} > out/{matrix.model}-{matrix.seed}.txt',
        outs: ['{projectRoot}/out/{matrix.model}-{matrix.seed}.txt'],
      }),
      best: stage({
        command: 'cat out/a-1.txt out/b-2.txt > best.txt',
        deps: ['{projectRoot}/out/a-1.txt', '{projectRoot}/out/b-2.txt'],
        outs: ['{projectRoot}/best.txt'],
      }),
    },
  });
  w = await createWorkspace({ ...PLUGIN, 'm/project.json': train([1, 2]) });
  await w.nx('run', 'm:best');
  expect(w.read('m/best.txt')).toBe('1 a\n2 b\n');
  const { stages } = await w.json<{ stages: { target: string; state: string }[] }>('status');
  expect(stages.map(({ target, state }) => `${target} ${state}`)).toEqual([
    'best unchanged',
    'train@1-a unchanged',
    'train@1-b new',
    'train@2-a new',
    'train@2-b unchanged',
  ]);
  w.write({ 'm/project.json': train([1, 2, 3]) });
  await w.nx('run', 'm:train');
  expect(w.read('m/out/b-3.txt')).toBe('3 b\n');
  // Nx has run each of them when the target that stands for them has its turn.
  for (const batch of ['--batch=false', '--batch'])
    expect(await w.nx('run', 'm:train', '--skip-nx-cache', batch)).toMatch(/^Sluice: 6 stages: 6 ran$/m);
});

story('foreach: three of many items changed, three commands', async () => {
  const count = 'echo x >> ../runs';
  const upper = {
    name: 'p',
    targets: {
      upper: stage({
        command: `${count}; tr a-z A-Z < "$SLUICE_ITEM" > "$SLUICE_OUT/$SLUICE_ITEM_NAME.out"`,
        foreach: '{projectRoot}/raw/*.txt',
        outs: ['{projectRoot}/upper'],
      }),
    },
  };
  w = await createWorkspace({ ...PLUGIN, 'p/project.json': upper });
  w.write(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`p/raw/f${i}.txt`, `file ${i}\n`])));
  await w.nx('run', 'p:upper');
  w.write({ 'p/raw/f3.txt': 'three\n', 'p/raw/f30.txt': 'thirty\n', 'p/raw/new.txt': 'new\n' });
  await w.nx('run', 'p:upper');
  expect(w.read('runs').length / 2).toBe(63);
  expect(w.read('p/upper/f30.out')).toBe('THIRTY\n');
});

story(
  'a project at the root, names with @ and /, Python and TypeScript, and a target of Nx that waits for data',
  async () => {
    const python = 'import json, pathlib; pathlib.Path("sum.json").write_text(json.dumps(sum(range(10))))';
    // Nobody has to have Python; where it is, it runs.
    const hasPython = spawnSync('python3', ['--version']).status === 0;
    const numbers = hasPython ? `python3 -c '${python}'` : 'echo 45 > sum.json';
    w = await createWorkspace({
      ...PLUGIN,
      'project.json': {
        name: '@acme/root',
        targets: { numbers: stage({ command: numbers, outs: ['sum.json'] }) },
      },
      'libs/ts/project.json': {
        name: '@acme/ts',
        targets: {
          build: {
            executor: 'nx:run-commands',
            cache: true,
            inputs: ['{projectRoot}/src/**'],
            outputs: ['{projectRoot}/dist'],
            options: { command: `node ${TSC} --strict false --outDir dist src/double.ts`, cwd: 'libs/ts' },
          },
          double: {
            ...stage({
              command: 'node dist/double.js ../../sum.json',
              deps: ['{projectRoot}/src', 'sum.json'],
              outs: ['{projectRoot}/double.json'],
            }),
            dependsOn: ['build', { projects: ['@acme/root'], target: 'numbers' }],
          },
          report: {
            executor: 'nx:run-commands',
            dependsOn: ['double'],
            options: { command: 'cat libs/ts/double.json' },
          },
        },
      },
    });
    const source = (factor: number): string => `
      declare function require(name: string): any;
      declare const process: { argv: string[] };
      const { readFileSync, writeFileSync } = require('fs');
      const factor: number = ${factor};
      const sum: number = JSON.parse(readFileSync(process.argv[2], 'utf8'));
      writeFileSync('double.json', String(factor * sum));
    `;
    w.write({ 'libs/ts/src/double.ts': source(2) });
    expect(await w.nx('run', '@acme/ts:report')).toContain('90');
    expect(await w.nx('run', '@acme/ts:report')).toContain('unchanged');
    w.write({ 'libs/ts/src/double.ts': source(3) });
    expect(await w.nx('run', '@acme/ts:report')).toContain('135');
  },
);

story('packages with targets in package.json', async () => {
  w = await createWorkspace({
    ...PLUGIN,
    'packages/a/package.json': {
      name: '@acme/a',
      version: '1.0.0',
      nx: { targets: { make: stage({ command: 'echo a > a.txt', outs: ['{projectRoot}/a.txt'] }) } },
    },
    'packages/b/package.json': {
      name: '@acme/b',
      version: '1.0.0',
      nx: {
        targets: {
          use: stage({
            command: 'cat ../a/a.txt > b.txt',
            deps: ['packages/a/a.txt'],
            outs: ['{projectRoot}/b.txt'],
          }),
        },
      },
    },
  });
  w.write({ 'package.json': { ...JSON.parse(w.read('package.json')), workspaces: ['packages/*'] } });
  await w.nx('run', '@acme/b:use');
  expect(w.read('packages/b/b.txt')).toBe('a\n');
});
