import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as plugin from '../plugin.js';
import type { InferredTarget } from './nx-shapes.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-graph-'));
  write({ 'nx.json': {} });
});

afterEach(() => rmSync(root, { recursive: true }));

function write(files: Record<string, unknown>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

function stage(options: object, rest: object = {}): object {
  return { executor: '@sluice/nx:stage', options: { command: 'x', ...options }, ...rest };
}

/** The targets that the plugin completes, by `root:target`. */
function infer(...files: string[]): Record<string, InferredTarget> {
  const results = plugin.createNodes[1](files, undefined, { workspaceRoot: root });
  return Object.fromEntries(
    results.flatMap(([, { projects }]) =>
      Object.entries(projects).flatMap(([at, { targets }]) =>
        Object.entries(targets).map(([name, target]) => [`${at}:${name}`, target] as const),
      ),
    ),
  );
}

function needs(target: InferredTarget | undefined): unknown {
  return target?.dependsOn;
}

test('both names are one implementation', () => {
  expect(plugin.createNodesV2).toBe(plugin.createNodes);
});

test('a target with our executor is completed, and no other is touched', () => {
  write({
    'data/project.json': {
      name: 'data',
      targets: { raw: { executor: '@sluice/nx:track', options: { outs: ['data/raw'] } } },
    },
    'model/project.json': {
      name: '@acme/model',
      targets: {
        train: stage({
          deps: ['{projectRoot}/train.py', '{projectRoot}/src', '{projectRoot}/none', 'data/raw/x.csv', 'libs/**/*.py'],
          params: ['{projectRoot}/params.yaml:a', '{projectRoot}/params.yaml:b'],
          env: ['SEED'],
          outs: ['{projectRoot}/w', 'shared/m.json'],
        }),
        build: { executor: 'nx:run-commands', options: { command: 'x' } },
      },
    },
    'model/train.py': '',
    'model/src/a.py': '',
  });
  expect(infer('data/project.json', 'model/project.json')).toEqual({
    'data:raw': {
      cache: false,
      inputs: ['{projectRoot}/project.json', '{projectRoot}/sluice-lock.json'],
      outputs: ['{projectRoot}/raw'],
      dependsOn: [],
      metadata: expect.objectContaining({ description: 'Keeps the data in data/raw' }),
    },
    'model:train': {
      cache: false,
      inputs: [
        '{projectRoot}/project.json',
        '{projectRoot}/train.py',
        '{projectRoot}/src/**/*',
        '{projectRoot}/none',
        '{projectRoot}/none/**/*',
        '{workspaceRoot}/libs/**/*.py',
        '{projectRoot}/params.yaml',
        '{workspaceRoot}/data/sluice-lock.json',
        '{workspaceRoot}/data/project.json',
        { env: 'SEED' },
      ],
      outputs: ['{projectRoot}/w', '{workspaceRoot}/shared/m.json'],
      dependsOn: [{ projects: ['data'], target: 'raw' }],
      metadata: {
        technologies: ['sluice'],
        description: 'Runs `x` to make model/w, shared/m.json, when something that decides its result has changed',
        sluice: {
          kind: 'stage',
          reads: ['model/train.py', 'model/src', 'model/none', 'libs/**/*.py', 'model/params.yaml'],
          needs: [{ project: 'data', target: 'raw', out: 'data/raw' }],
          makes: ['model/w', 'shared/m.json'],
        },
      },
    },
  });
});

test.each([
  ['a file', 'a/out/f.csv', ['a/out/f.csv']],
  ['a directory', 'a/out', ['a/out']],
  ['a part', 'a/out', ['a/out/deep/f.csv']],
  ['a glob in it', 'a/out', ['a/out/**/*.csv']],
  ['a directory that holds it', 'a/x/out', ['a/x']],
  ['a glob that reaches it', 'a/x/out.csv', ['a/*/*.csv']],
])('who makes a dep is found: %s', (_, out, deps) => {
  write({
    'a/project.json': { name: 'a', targets: { make: stage({ outs: [out] }) } },
    'b/project.json': { name: 'b', targets: { use: stage({ deps, outs: ['b/out'] }) } },
  });
  const targets = infer('a/project.json', 'b/project.json');
  expect(needs(targets['b:use'])).toEqual([{ projects: ['a'], target: 'make' }]);
  expect(targets['b:use']?.inputs).toContain('{workspaceRoot}/a/sluice-lock.json');
});

test('data in the middle of a dep is no input', () => {
  write({
    'a/project.json': { name: 'a', targets: { make: stage({ outs: ['a/x/out'] }), use: stage({ deps: ['a/x'] }) } },
    'a/x/out/big': '',
  });
  expect(infer('a/project.json')['a:use']?.inputs).toEqual([
    '{projectRoot}/project.json',
    '{projectRoot}/x/**/*',
    '!{projectRoot}/x/out',
    '!{projectRoot}/x/out/**/*',
    '{projectRoot}/sluice-lock.json',
  ]);
});

test('what any configuration reads counts, and names that Nx would take for patterns fit', () => {
  const configurations = { big: { deps: ['a/\\[id].csv', 'a/out'] }, broken: { deps: [3] } };
  write({
    'a/project.json': {
      name: 'a',
      targets: { make: stage({ outs: ['a/out'] }), use: stage({ outs: ['a/o'] }, { configurations }) },
    },
    'a/[id].csv': '',
  });
  const { 'a:use': use } = infer('a/project.json');
  expect(use?.inputs).toContain('{projectRoot}/?id?.csv');
  expect(needs(use)).toEqual(['make']);
});

test('defaults and package.json declare stages too, and the root can be a project', () => {
  write({
    'nx.json': { targetDefaults: { train: { executor: '@sluice/nx:stage', options: { command: 'x' } } } },
    'package.json': { name: 'top', workspaces: ['libs/*'], nx: { targets: { train: { options: { outs: ['o'] } } } } },
    'libs/a/package.json': {
      name: 'a',
      nx: { targets: { train: { options: { deps: ['o'], outs: ['{projectRoot}/o'] } } } },
    },
    'fixtures/package.json': { name: 'no', nx: { targets: { train: {} } } },
  });
  const targets = infer('package.json', 'libs/a/package.json', 'fixtures/package.json');
  expect(Object.keys(targets).sort()).toEqual(['.:train', 'libs/a:train']);
  expect(targets['.:train']?.outputs).toEqual(['{workspaceRoot}/o']);
  expect(needs(targets['libs/a:train'])).toEqual([{ projects: ['top'], target: 'train' }]);
});

test('what decides the stages before it decides a stage, and a long chain stands on whole projects', () => {
  const chain = (length: number): object => {
    const targets: Record<string, object> = {
      s0: stage({ deps: ['a/in.txt'], params: ['a/p.yaml:x'], outs: ['a/0'] }),
    };
    for (let i = 1; i < length; i++)
      targets[`s${i}`] = stage({ deps: [`a/in-${i}.txt`, `a/${i - 1}`], outs: [`a/${i}`] });
    return { name: 'a', targets };
  };
  for (const name of ['in.txt', 'in-1.txt', 'in-2.txt', 'p.yaml']) write({ [`a/${name}`]: '' });
  write({ 'a/project.json': chain(3) });
  expect(infer('a/project.json')['a:s2']?.inputs).toEqual([
    '{projectRoot}/project.json',
    '{projectRoot}/in-2.txt',
    '{projectRoot}/sluice-lock.json',
    '{projectRoot}/in-1.txt',
    '{projectRoot}/in.txt',
    '{projectRoot}/p.yaml',
  ]);
  write({ 'a/project.json': chain(400) });
  const inputs = infer('a/project.json')['a:s399']?.inputs ?? [];
  expect(inputs.length).toBeLessThan(10);
  expect(inputs).toEqual(expect.arrayContaining(['{projectRoot}/**/*', '^{projectRoot}/**/*']));
});

test('a dep that is a link is looked at where it leads', () => {
  write({
    'a/project.json': {
      name: 'a',
      targets: { use: stage({ deps: ['a/file', 'a/dir', 'a/out', 'a/none'], outs: ['a/o'] }) },
    },
    'shared/real.txt': '',
  });
  symlinkSync('../shared/real.txt', join(root, 'a/file'));
  symlinkSync('../shared', join(root, 'a/dir'));
  symlinkSync('/', join(root, 'a/out'));
  symlinkSync('nowhere', join(root, 'a/none'));
  expect(infer('a/project.json')['a:use']?.inputs).toEqual([
    '{projectRoot}/project.json',
    '{projectRoot}/file',
    '{workspaceRoot}/shared/real.txt',
    '{projectRoot}/dir/**/*',
    '{workspaceRoot}/shared/**/*',
    '{projectRoot}/out/**/*',
    '{projectRoot}/none',
    '{projectRoot}/none/**/*',
  ]);
});

test('each combination of a matrix is a target of its own', () => {
  const options = {
    matrix: { seed: [1, 2] },
    command: 'x {matrix.seed}',
    deps: ['d/o/{matrix.seed}'],
    outs: ['m/o-{matrix.seed}'],
  };
  write({
    'd/project.json': { name: 'd', targets: { make: stage({ outs: ['d/o'] }) } },
    'm/project.json': {
      name: 'm',
      targets: {
        train: { executor: '@sluice/nx:stage', options, configurations: { fast: { command: 'y {matrix.seed}' } } },
        use: stage({ deps: ['m/o-2'], outs: ['m/u'] }),
      },
    },
  });
  const targets = infer('d/project.json', 'm/project.json');
  expect(targets['m:train']).toEqual({
    cache: false,
    dependsOn: ['train@1', 'train@2'],
    metadata: expect.objectContaining({ description: 'Stands for the stages train@1, train@2' }),
  });
  expect(targets['m:train@2']).toMatchObject({
    executor: '@sluice/nx:stage',
    options: { command: 'x 2', deps: ['d/o/2'], outs: ['m/o-2'] },
    configurations: { fast: { command: 'y 2' } },
    outputs: ['{projectRoot}/o-2'],
    dependsOn: [{ projects: ['d'], target: 'make' }],
  });
  expect(needs(targets['m:use'])).toEqual(['train@2']);
});

test('a broken stage is told in its metadata and breaks nothing', () => {
  write({
    'a/project.json': { name: 'a', targets: { bad: stage({ comand: 'x' }), good: stage({ outs: ['a/o'] }) } },
    'b/project.json': '{ not json',
  });
  const targets = infer('a/project.json', 'b/project.json');
  expect(targets['a:bad']).toEqual({ cache: false, metadata: expect.anything() });
  expect(targets['a:bad']?.metadata.sluice.problem).toContain('option comand');
  expect(targets['a:good']?.outputs).toEqual(['{projectRoot}/o']);
  write({ 'nx.json': '{' });
  expect(infer('a/project.json')).toEqual({});
});

test('a circle is named in full, and is no circle of tasks', () => {
  const target = (to: string, from: string): object => stage({ deps: [from], outs: [to] });
  write({
    'a/project.json': { name: 'a', targets: { one: target('a/1', 'a/3'), two: target('a/2', 'a/1') } },
    'b/project.json': { name: 'b', targets: { three: target('a/3', 'a/2'), free: target('b/f', 'b/in') } },
  });
  const targets = infer('a/project.json', 'b/project.json');
  expect(['a:one', 'a:two', 'b:three'].map((name) => needs(targets[name]))).toEqual([[], [], []]);
  expect(targets['a:one']?.metadata.sluice.problem).toMatch(/^ERR_CYCLE: .*: a:one -> b:three -> a:two -> a:one$/);
});

test('what was found is kept until a declaration changes', () => {
  const declare = (out: string): void => {
    write({ 'a/project.json': { name: 'a', targets: { make: stage({ outs: [out] }) } } });
    utimesSync(join(root, 'a/project.json'), new Date(1e12 + out.length * 1000), new Date(1e12 + out.length * 1000));
  };
  mkdirSync(join(root, '.sluice/index'), { recursive: true });
  declare('a/one');
  const first = infer('a/project.json');
  const cache = readFileSync(join(root, '.sluice/index/graph.json'), 'utf8');
  expect(cache).toContain('a/one');
  expect(infer('a/project.json')).toEqual(first);
  declare('a/other');
  expect(infer('a/project.json')['a:make']?.outputs).toEqual(['{projectRoot}/other']);
  writeFileSync(join(root, '.sluice/index/graph.json'), cache.slice(0, -5));
  expect(infer('a/project.json')['a:make']?.outputs).toEqual(['{projectRoot}/other']);
  expect(infer('a/project.json', 'b/project.json')['a:make']?.outputs).toEqual(['{projectRoot}/other']);
});

test('projects need those whose data or files they read', () => {
  write({
    'data/project.json': { name: 'data', targets: { make: stage({ outs: ['data/o'] }) } },
    'libs/common/project.json': { name: 'common' },
    'm/project.json': {
      name: 'm',
      targets: { train: stage({ deps: ['data/o/x', 'libs/common/src/**/*.py', 'root.txt'], outs: ['m/o'] }) },
    },
  });
  const projects = Object.fromEntries(
    plugin.createNodes[1](['data/project.json', 'libs/common/project.json', 'm/project.json'], undefined, {
      workspaceRoot: root,
    })
      .flatMap(([, found]) => Object.entries(found.projects))
      .map(([at, { targets }]) => [at, { root: at, targets }]),
  );
  const context = { projects: { ...projects, common: { root: 'libs/common' }, top: { root: '.' } } };
  expect(plugin.createDependencies(undefined, context)).toEqual([
    { source: 'm', target: 'data', type: 'implicit' },
    { source: 'm', target: 'common', type: 'implicit' },
  ]);
  expect(plugin.createDependencies(undefined, { projects: { a: { root: 'a', targets: { t: {} } } } })).toEqual([]);
});
