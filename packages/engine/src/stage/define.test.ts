import { SluiceError } from '../errors.js';
import { defineStage } from './define.js';
import type { Stage } from './stage.js';

function define(options: unknown, root = 'packages/p', executor = '@sluice/nx:stage'): Stage {
  return defineStage({ project: { name: 'p', root }, target: 'train', executor, options });
}

function problemOf(options: unknown, root?: string, executor?: string): string {
  try {
    define(options, root, executor);
    return 'none';
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `${error.code} ${error.message} | ${error.hint}`;
  }
}

const outs = ['{projectRoot}/out'];

test('the declaration of the design page', () => {
  const stage = define({
    command: 'python train_resample.py',
    deps: ['{projectRoot}/train_resample.py', '{projectRoot}/data/raw'],
    params: ['{projectRoot}/params.yaml:resample.n'],
    env: ['SEED'],
    outs: ['{projectRoot}/data/resampled', { path: '{projectRoot}/metrics.json', cache: false, metrics: true }],
  });
  const out = { cache: true, push: true, persist: false, remote: undefined, metrics: false, mutability: 'flexible' };
  expect(stage).toEqual({
    id: { project: 'p', target: 'train' },
    projectRoot: 'packages/p',
    command: 'python train_resample.py',
    cwd: 'packages/p',
    deps: [
      { kind: 'path', path: 'packages/p/train_resample.py' },
      { kind: 'path', path: 'packages/p/data/raw' },
    ],
    params: [{ file: 'packages/p/params.yaml', key: 'resample.n' }],
    env: ['SEED'],
    runtime: [],
    outs: [
      { ...out, path: 'packages/p/data/resampled' },
      { ...out, path: 'packages/p/metrics.json', cache: false, metrics: true },
    ],
    always: false,
    frozen: false,
    materialize: undefined,
    onDepChange: 'fail',
  });
});

test('every option', () => {
  const stage = define({
    command: 'sh {projectRoot}/run.sh {projectName}',
    cwd: '.',
    always: true,
    frozen: true,
    runtime: ['node {projectRoot}/v.mjs'],
    materialize: 'lazy',
    onDepChange: 'warn',
    outs: [{ path: 'data/x', push: false, persist: true, remote: 'big', mutability: 'append-only' }],
  });
  expect(stage).toMatchObject({
    command: 'sh packages/p/run.sh p',
    cwd: '',
    always: true,
    frozen: true,
    runtime: ['node packages/p/v.mjs'],
    materialize: 'lazy',
    onDepChange: 'warn',
    outs: [{ path: 'data/x', push: false, persist: true, remote: 'big', mutability: 'append-only' }],
  });
});

test('paths are brought to one form', () => {
  const stage = define({
    command: 'x',
    deps: ['./a//b/', '{workspaceRoot}/c/../d', '{projectRoot}/../q/e', '{workspaceRoot}f'],
    outs: ['{projectRoot}//z/', '{projectRoot}/./y'],
  });
  expect(stage.deps.map((dep) => dep.kind === 'path' && dep.path)).toEqual(['a/b', 'd', 'packages/q/e', 'f']);
  expect(stage.outs.map(({ path }) => path)).toEqual(['packages/p/y', 'packages/p/z']);
});

test.each(['', '.'])(
  'a project in the workspace root (%j) works, and its command has the text that Nx gives it',
  (root) => {
    const stage = define(
      { command: 'node {projectRoot}/a.mjs', deps: ['{projectRoot}/a.mjs'], outs: ['{projectRoot}/data'] },
      root,
    );
    expect(stage).toMatchObject({
      projectRoot: '',
      cwd: '',
      command: 'node ./a.mjs',
      deps: [{ path: 'a.mjs' }],
      outs: [{ path: 'data' }],
    });
    expect(problemOf({ outs: ['{projectRoot}'] }, root)).toContain('outs[0]: "." is the workspace root');
  },
);

test('globs have a base, and a backslash makes a character ordinary', () => {
  const deps = (declared: string[]): unknown => define({ command: 'x', deps: declared, outs }).deps;
  expect(deps(['{projectRoot}/src/**/*.py'])).toEqual([
    { kind: 'glob', pattern: 'packages/p/src/**/*.py', base: 'packages/p/src' },
  ]);
  expect(deps(['*.csv', 'a/{b,c}/d', './x//y/[ab].txt/'])).toEqual([
    { kind: 'glob', pattern: '*.csv', base: '' },
    { kind: 'glob', pattern: 'a/{b,c}/d', base: 'a' },
    { kind: 'glob', pattern: 'x/y/[ab].txt', base: 'x/y' },
  ]);
  expect(deps(['a/\\[id\\]/b', 'c (1).txt', 'q/\\*'])).toEqual([
    { kind: 'path', path: 'a/[id]/b' },
    { kind: 'path', path: 'c (1).txt' },
    { kind: 'path', path: 'q/*' },
  ]);
  expect(deps(['a/\\[id\\]/*.ts'])).toEqual([{ kind: 'glob', pattern: 'a/\\[id\\]/*.ts', base: 'a/[id]' }]);
});

test('an out without a command is tracked data', () => {
  const expected = { command: undefined, deps: [], outs: [{ path: 'packages/p/out' }] };
  expect(define({ outs })).toMatchObject(expected);
  expect(define({ outs, deps: [], always: false }, 'packages/p', '@sluice/nx:track')).toMatchObject(expected);
});

test.each<[string, unknown, string]>([
  ['unknown option', { command: 'x', out: [], outs }, 'option out: is not an option. Did you mean "outs"?'],
  ['matrix', { command: 'x', matrix: {}, outs }, 'option matrix: is no object with lists of values'],
  [
    'unknown option of an out',
    { outs: [{ path: 'a', metric: true }] },
    'outs[0].metric: is not an option. Did you mean "metrics"?',
  ],
  ['no options', undefined, 'outs: are missing, and so is a command'],
  ['options of another kind', [], 'options: is not an object'],
  ['empty command', { command: ' ', outs }, 'command: is empty'],
  ['command of another kind', { command: ['x'], outs }, 'command: is ["x"], not a text'],
  ['token inside a command', { command: 'cat {workspaceRoot}/x', outs: [] }, 'none'],
  ['token behind', { command: 'x', deps: ['a/{workspaceRoot}'] }, 'holds {workspaceRoot} behind its beginning'],
  ['unknown token', { outs: ['{projectroot}/a'] }, 'holds {projectroot}, which is not known'],
  ['deps without a command', { deps: ['a'], outs }, 'deps: is set, but there is no command'],
  ['no list', { command: 'x', deps: 'a' }, 'deps: is "a", not a list'],
  ['no text in a list', { command: 'x', deps: [1] }, 'deps[0]: is 1, not a text'],
  ['no flag', { command: 'x', always: 'yes' }, 'always: is "yes", not true or false'],
  ['no choice', { command: 'x', materialize: 'eagre' }, 'materialize: is "eagre". Did you mean "eager"?'],
  [
    'bad mutability',
    { outs: [{ path: 'a', mutability: 'Strict' }] },
    'outs[0].mutability: is "Strict". Did you mean "strict"?',
  ],
  ['out without a path', { outs: [{ cache: false }] }, 'outs[0]: has no path'],
  ['empty path', { outs: [''] }, 'is empty'],
  ['absolute path', { outs: ['/tmp/x'] }, 'is absolute'],
  ['leaves the workspace', { outs: ['{projectRoot}/../../../x'] }, 'leaves the workspace'],
  ['backslash', { outs: ['data\\raw'] }, 'holds a backslash'],
  ['backslash in a dep', { command: 'x', deps: ['data\\raw'] }, 'holds a backslash that escapes nothing'],
  ['excluded dep', { command: 'x', deps: ['!a'] }, 'begins with "!"'],
  ['up behind a pattern', { command: 'x', deps: ['a/*/../b'] }, 'goes up behind a pattern'],
  ['project root', { outs: ['{projectRoot}'] }, '"packages/p" is the project root'],
  ['workspace root', { outs: ['{workspaceRoot}'] }, '"." is the workspace root'],
  ['above the project', { outs: ['packages'] }, '"packages" holds the project root'],
  ['pattern', { outs: ['{projectRoot}/*.csv'] }, 'is a pattern'],
  ['lock', { outs: ['{projectRoot}/sluice-lock.json'] }, 'has a name that is reserved'],
  ['project.json', { outs: ['{projectRoot}/sub/project.json'] }, 'has a name that is reserved'],
  ['inside .git', { outs: ['.git/x'] }, 'lies inside .git'],
  ['inside node_modules', { outs: ['{projectRoot}/node_modules/x'] }, 'lies inside node_modules'],
  ['the store', { outs: ['.sluice'] }, 'lies inside .sluice'],
  ['out twice', { outs: ['a', './a/'] }, '"a" is listed twice'],
  ['nested outs', { outs: ['a/b', 'a'] }, '"a/b" lies inside outs[1], "a"'],
  [
    'dep is an out',
    { command: 'x', deps: ['{projectRoot}/out'], outs },
    'deps[0]: "packages/p/out" is outs[0] of the same stage',
  ],
  [
    'dep inside an out',
    { command: 'x', deps: ['{projectRoot}/out/a'], outs },
    '"packages/p/out/a" lies inside outs[0]',
  ],
  ['out inside a dep', { command: 'x', deps: ['{projectRoot}'], outs }, '"packages/p" holds outs[0]'],
  ['glob into an out', { command: 'x', deps: ['{projectRoot}/**/*.py'], outs }, 'may match files inside outs[0]'],
  [
    'param file inside an out',
    { command: 'x', params: ['{projectRoot}/out/a.yaml'], outs },
    'params[0]: "packages/p/out/a.yaml" lies inside outs[0]',
  ],
  [
    'persistent out as a dep',
    { command: 'x', deps: ['a'], outs: [{ path: 'a', persist: true }] },
    'With "persist" the command finds its last result',
  ],
  [
    'working directory in an out',
    { command: 'x', cwd: '{projectRoot}/out', outs },
    'cwd: "{projectRoot}/out" lies inside outs[0]',
  ],
  ['dep twice', { command: 'x', deps: ['a', 'a/'] }, 'deps[1]: "a" is listed twice, first as deps[0]'],
  ['param without a file', { command: 'x', params: ['lr'] }, 'names no param file'],
  ['param with a bad key', { command: 'x', params: ['a.yaml:b..c'] }, 'has a key that cannot be read: "b..c"'],
  ['param twice', { command: 'x', params: ['a.yaml:b', './a.yaml:b'] }, 'is listed twice'],
  ['empty runtime', { command: 'x', runtime: [''] }, 'runtime[0]: is empty'],
])('%s', (name, options, message) => {
  if (name === 'token inside a command') {
    expect(problemOf(options)).toContain('Nx knows {workspaceRoot} only as the first word');
    return;
  }
  expect(problemOf(options)).toMatch(/^ERR_STAGE_DEFINITION stage p:train/);
  expect(problemOf(options)).toContain(message);
});

test('a glob beside the outs is fine', () => {
  expect(problemOf({ command: 'x', deps: ['{projectRoot}/*.py', '{projectRoot}/src/**'], outs })).toBe('none');
});

test('tracked data takes no command', () => {
  expect(problemOf({ command: 'x', outs }, undefined, '@sluice/nx:track')).toContain(
    'command: is set, but tracked data is made by hand',
  );
  expect(problemOf({}, undefined, '@sluice/nx:track')).toContain('outs: are missing');
  expect(problemOf({ command: 'x' }, undefined, 'nx:run-commands')).toContain('executor: is nx:run-commands');
});

test('only wrong names of variables have a code of their own', () => {
  expect(problemOf({ command: 'x', env: ['1A', 'OK', 'a-b'] })).toContain('ERR_ENV_NAME stage p:train has 2 problems');
  expect(problemOf({ command: 'x', env: ['A', 'A'] })).toContain('env[1]: "A" is listed twice');
  expect(problemOf({ command: 'x', env: ['A=1'], deps: [''] })).toContain('ERR_STAGE_DEFINITION');
});

test('all problems are told at once', () => {
  try {
    define({ command: 'x', dep: [], outs: ['/a', '{projectRoot}'] });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    expect(error.message).toBe(
      'stage p:train has 3 problems in its options:\n' +
        '  dep: is not an option. Did you mean "deps"? Known are: command, deps, params, env, outs, cwd, always, frozen, runtime, materialize, onDepChange, matrix, foreach, groupBy, itemsAtOnce.\n' +
        '  outs[0]: "/a" is absolute. Write a path relative to the workspace root, or one that begins with {projectRoot}.\n' +
        '  outs[1]: "packages/p" is the project root. Declare a directory or file of its own below the project root.',
    );
    expect(error.details).toMatchObject({
      problems: [{ option: 'dep' }, { option: 'outs[0]' }, { option: 'outs[1]' }],
    });
    return;
  }
  throw new Error('no error');
});

test('names that cannot be used', () => {
  const declared = { target: 'a', executor: '@sluice/nx:stage', options: { outs: ['x'] } };
  expect(() => defineStage({ ...declared, project: { name: 'p', root: '../p' } })).toThrow('cannot be used');
  expect(() => defineStage({ ...declared, project: { name: 'p', root: 'p' }, target: '__proto__' })).toThrow(
    'cannot be used',
  );
});
