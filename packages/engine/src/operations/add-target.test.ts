import { memoryFiles } from '../testing/memory-files.js';
import { addTarget, type NewTarget } from './add-target.js';

const TRAIN: NewTarget = {
  kind: 'stage',
  project: 'model',
  target: 'train',
  options: { command: 'python train.py', deps: ['{projectRoot}/train.py'], outs: ['{projectRoot}/weights'] },
};

test('a stage is a target of its project and a line in its .gitignore; twice is once', () => {
  const files = memoryFiles({ 'nx.json': {}, 'libs/model/project.json': '{\n  // ours\n  "name": "model"\n}\n' });
  expect(addTarget('/w', files, TRAIN)).toEqual({
    project: 'model',
    target: 'train',
    file: 'libs/model/project.json',
    outs: ['libs/model/weights'],
    written: ['libs/model/.gitignore', 'libs/model/project.json'],
  });
  expect(files.read('libs/model/.gitignore')).toBe('/weights\n');
  expect(files.read('libs/model/project.json')).toContain('// ours');
  expect(JSON.parse(files.read('libs/model/project.json')?.replace('// ours', '') ?? '')).toEqual({
    name: 'model',
    targets: { train: { executor: '@sluice/nx:stage', cache: false, options: TRAIN.options } },
  });
  const before = new Map(files.all);
  expect(addTarget('/w', files, TRAIN).written).toEqual([]);
  expect(files.all).toEqual(before);
});

test('a project of package.json keeps its targets there', () => {
  const files = memoryFiles({
    'nx.json': {},
    'package.json': { name: 'root', workspaces: ['libs/*'] },
    'libs/model/package.json': { name: 'model', scripts: { test: 'true' } },
  });
  expect(addTarget('/w', files, TRAIN).file).toBe('libs/model/package.json');
  expect(files.json('libs/model/package.json')).toMatchObject({ nx: { targets: { train: { cache: false } } } });
  const script = { ...TRAIN, target: 'test', options: { command: 'x', outs: ['{projectRoot}/other'] } };
  expect(() => addTarget('/w', files, script)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
});

test('a new project is made where one is wanted', () => {
  const files = memoryFiles({ 'nx.json': {} });
  const raw: NewTarget = {
    kind: 'dataset',
    project: 'people',
    projectRoot: './data/people/',
    target: 'raw',
    options: { outs: ['{projectRoot}/raw'] },
  };
  expect(addTarget('/w', files, raw).written).toEqual(['data/people/.gitignore', 'data/people/project.json']);
  expect(files.json('data/people/project.json')).toEqual({
    $schema: '../../node_modules/nx/schemas/project-schema.json',
    name: 'people',
    targets: { raw: { executor: '@sluice/nx:track', cache: false, options: raw.options } },
  });
  expect(addTarget('/w', files, raw).written).toEqual([]);
  expect(() => addTarget('/w', files, { ...raw, project: 'other' })).toThrow(/is not named "other"/);
  expect(() => addTarget('/w', files, { ...raw, project: 'other', projectRoot: '../up' })).toThrow(/no directory/);
});

test('the innermost project around a path is meant where none is named', () => {
  const files = memoryFiles({
    'nx.json': {},
    'project.json': { name: 'root' },
    'a/project.json': { name: 'a' },
    'a/b/project.json': { name: 'b' },
  });
  const dataset = (path: string): NewTarget => ({
    kind: 'dataset',
    beside: path,
    target: path.replaceAll('/', '-'),
    options: { outs: [path] },
  });
  expect(addTarget('/w', files, dataset('a/b/raw')).project).toBe('b');
  expect(files.json('a/b/project.json')).toMatchObject({
    targets: { 'a-b-raw': { options: { outs: ['{projectRoot}/raw'] } } },
  });
  expect(addTarget('/w', files, dataset('a/bc')).project).toBe('a');
  expect(addTarget('/w', files, dataset('raw')).project).toBe('root');
  const alone = memoryFiles({ 'nx.json': {} });
  expect(() => addTarget('/w', alone, dataset('raw'))).toThrow(/no project holds "raw"/);
  expect(() => addTarget('/w', alone, { ...dataset('raw'), beside: undefined })).toThrow(/a project is missing/);
});

test('what could not run is not written', () => {
  const files = memoryFiles({
    'nx.json': {},
    'libs/model/project.json': {
      name: 'model',
      targets: { other: { executor: '@sluice/nx:stage', options: { command: 'x', outs: ['{projectRoot}/weights'] } } },
    },
  });
  const before = new Map(files.all);
  for (const [change, code] of [
    [{}, 'ERR_STAGE_DEFINITION'],
    [{ project: 'modle' }, 'ERR_SELECTOR'],
    [{ target: 'other' }, 'ERR_USAGE'],
    [{ options: { command: 'x', outs: [{ path: 'y', remote: 'near' }] } }, 'ERR_REMOTE_UNKNOWN'],
    [{ options: { comand: 'x' } }, 'ERR_STAGE_DEFINITION'],
    [{ options: { command: 'x', deps: ['../up'] } }, 'ERR_STAGE_DEFINITION'],
  ] as const) {
    expect(() => addTarget('/w', files, { ...TRAIN, ...change })).toThrow(expect.objectContaining({ code }));
  }
  expect(files.all).toEqual(before);
});
