import fs from 'node:fs';
import { type TestRepository, tracked, useRepositories } from '../testing/repository.js';
import type { DiffOptions } from './diff.js';

const { create, clone, temp } = useRepositories();

async function save(w: TestRepository, subject: string): Promise<void> {
  await w.engine.commit({ select: [] });
  w.commit(subject);
}

const diff = async (w: TestRepository, options: Partial<DiffOptions> = {}) => w.engine.diff({ select: [], ...options });

/** The changes of the first out, by kind: paths. */
async function paths(w: TestRepository, options: Partial<DiffOptions> = {}): Promise<object> {
  const [out] = (await diff(w, options)).outs;
  if (out === undefined) return {};
  const kinds = {
    added: out.added.map(({ path }) => path),
    deleted: out.deleted.map(({ path }) => path),
    modified: out.modified.map(({ path }) => path),
    renamed: out.renamed.map(({ from, path }) => `${from} -> ${path}`),
  };
  return Object.fromEntries(Object.entries(kinds).filter(([, names]) => names.length > 0));
}

async function twoVersions(): Promise<TestRepository> {
  const w = await create({
    'p/project.json': tracked('{projectRoot}/raw'),
    'p/raw/same': 'same',
    'p/raw/edited.txt': 'one\ntwo\nthree\n',
    'p/raw/gone': 'gone',
    'p/raw/old/name': 'moved',
    'p/raw/file-or-dir': 'file',
  });
  await save(w, 'one');
  fs.renameSync(w.at('p/raw/old'), w.at('p/raw/new'));
  fs.rmSync(w.at('p/raw/gone'));
  fs.rmSync(w.at('p/raw/file-or-dir'));
  w.write({ 'p/raw/edited.txt': 'one\n2\nthree\n', 'p/raw/file-or-dir/x': 'directory', 'p/raw/copy': 'same' });
  await save(w, 'two');
  await w.engine.push({ select: [], allCommits: true });
  return w;
}

const CHANGES = {
  added: ['copy', 'file-or-dir/x'],
  deleted: ['file-or-dir', 'gone'],
  modified: ['edited.txt'],
  renamed: ['old/name -> new/name'],
};

test('any two of workspace, lock, revision and branch, with sizes and new bytes', async () => {
  const w = await twoVersions();
  w.git('branch', 'first', 'HEAD~1');
  expect(await paths(w, { before: 'HEAD~1' })).toEqual(CHANGES);
  expect(await paths(w, { before: 'first', after: 'HEAD' })).toEqual(CHANGES);
  expect(await paths(w, { before: 'first', after: 'lock' })).toEqual(CHANGES);
  expect(await paths(w)).toEqual({});
  expect(await paths(w, { before: 'HEAD', after: 'first' })).toEqual({
    added: ['file-or-dir', 'gone'],
    deleted: ['copy', 'file-or-dir/x'],
    modified: ['edited.txt'],
    renamed: ['new/name -> old/name'],
  });
  const { before, after, outs } = await diff(w, { before: 'first', after: 'HEAD' });
  expect([before, after]).toMatchObject([
    { kind: 'revision', rev: 'first' },
    { kind: 'revision', rev: 'HEAD' },
  ]);
  expect(outs).toMatchObject([
    {
      project: 'p',
      target: 'data',
      path: 'p/raw',
      files: { before: 5, after: 5 },
      bytes: { before: 31, after: 34, new: 4 + 9 + 12 },
      modified: [{ before: { kind: 'file', bytes: 14 }, after: { kind: 'file', bytes: 12 } }],
    },
  ]);
});

test('what lies in the workspace is compared without being committed', async () => {
  const w = await twoVersions();
  w.write({ 'p/raw/by-hand': 'x', 'p/raw/edited.txt': 'again' });
  expect(await paths(w)).toEqual({ added: ['by-hand'], modified: ['edited.txt'] });
  expect(await paths(w, { before: 'lock' })).toEqual({ added: ['by-hand'], modified: ['edited.txt'] });
  expect(await paths(w, { before: 'workspace', after: 'lock' })).toEqual({
    deleted: ['by-hand'],
    modified: ['edited.txt'],
  });
  expect(await paths(w, { select: ['p:data#by-*'] })).toEqual({ added: ['by-hand'] });
  expect((await w.engine.status({ select: [] })).stages[0]?.outs[0]?.store).toBe('complete');
});

test('a clone compares revisions without a blob; what is reference-only is as the lock says', async () => {
  const fresh = await clone(await twoVersions(), 'fresh');
  expect(await paths(fresh, { before: 'HEAD~1' })).toEqual(CHANGES);
  expect(await paths(fresh)).toEqual({});
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0 });
  await fresh.engine.pull({ select: ['p:data#new/*'] });
  expect(await paths(fresh)).toEqual({});
  fresh.write({ 'p/raw/new/name': 'by hand' });
  expect(await paths(fresh)).toEqual({ modified: ['new/name'] });
  fs.rmSync(temp('shelf'), { recursive: true });
  expect(await paths(fresh, { before: 'HEAD~1', after: 'HEAD' })).toEqual(CHANGES);
});

test('outs and stages that came or went are there in full', async () => {
  const w = await twoVersions();
  w.write({ 'p/project.json': tracked('{projectRoot}/other'), 'p/other': 'now' });
  await save(w, 'three');
  const { outs } = await diff(w, { before: 'HEAD~1', after: 'HEAD' });
  expect(outs.map(({ path, files }) => [path, files])).toEqual([
    ['p/other', { before: 0, after: 1 }],
    ['p/raw', { before: 5, after: 0 }],
  ]);
  expect(outs[0]?.added).toMatchObject([{ path: '', bytes: 3 }]);
});

test('params and metrics, before and after', async () => {
  const command = 'echo "{\\"score\\": $(cat n), \\"of\\": {\\"x\\": true}}" > m.json; cat n > big.json';
  const outs = [
    { path: '{projectRoot}/m.json', cache: false, metrics: true },
    { path: '{projectRoot}/big.json', metrics: true },
  ];
  const make = {
    executor: '@sluice/nx:stage',
    options: { command, deps: ['{projectRoot}/n'], params: ['{projectRoot}/params.yaml:lr'], outs },
  };
  const w = await create({
    'p/project.json': { name: 'p', targets: { make } },
    'p/n': '1',
    'p/params.yaml': 'lr: 0.1\n',
  });
  const run = async (subject: string): Promise<void> => {
    await w.engine.runStage({ id: { project: 'p', target: 'make' } }, { force: false, wait: true, materialize: true });
    w.commit(subject);
  };
  await run('one');
  w.write({ 'p/n': '2', 'p/params.yaml': 'lr: 0.2\n' });
  await run('two');
  await w.engine.push({ select: [], allCommits: true });
  const expected = {
    params: [{ project: 'p', target: 'make', name: 'p/params.yaml:lr', before: '0.1', after: '0.2' }],
    metrics: [
      { project: 'p', target: 'make', path: 'p/big.json', name: '', before: 1, after: 2 },
      { project: 'p', target: 'make', path: 'p/m.json', name: 'score', before: 1, after: 2 },
    ],
  };
  expect(await diff(w, { before: 'HEAD~1' })).toMatchObject(expected);
  const fresh = await clone(w, 'fresh');
  expect(await diff(fresh, { before: 'HEAD~1', after: 'HEAD' })).toMatchObject(expected);
  w.write({ 'p/params.yaml': 'lr: 0.3\n' });
  expect((await diff(w)).params).toMatchObject([{ before: '0.2', after: '0.3' }]);
  expect(w.warnings()).toEqual([]);
});

test('contents of small text, CSV and JSON files, which are all that comes', async () => {
  const w = await create({
    'p/project.json': tracked('{projectRoot}/raw'),
    'p/raw/a.csv': 'id,name\n1,x\n2,"y ""q"""\n',
    'p/raw/b.json': { a: 1, list: [1, 2], gone: true },
    'p/raw/c.txt': 'one\ntwo\n',
    'p/raw/d.txt': Buffer.from([0, 1, 2]),
    'p/raw/e.jpg': 'not looked at',
    'p/raw/f.txt': Buffer.alloc(2_000_000, 'a'),
  });
  await save(w, 'one');
  w.write({
    'p/raw/a.csv': 'id,name,size\n1,x,9\n3,z,7\n2,"y ""q""",8\n4,"a\nb",6\n',
    'p/raw/b.json': { a: 2, list: [1, 2, 3], added: null },
    'p/raw/c.txt': 'one\n2\n',
    'p/raw/d.txt': Buffer.from([0, 1, 3]),
    'p/raw/e.jpg': 'still not',
    'p/raw/f.txt': Buffer.alloc(2_000_000, 'b'),
  });
  await save(w, 'two');
  await w.engine.push({ select: [], allCommits: true });
  const fresh = await clone(w, 'fresh');
  const [out] = (await diff(fresh, { before: 'HEAD~1', content: true })).outs;
  expect(out?.content).toEqual([
    {
      path: 'a.csv',
      diff: expect.objectContaining({
        kind: 'csv',
        columns: { added: ['size'], deleted: [] },
        rows: { added: 2, deleted: 0, modified: 2 },
      }),
    },
    {
      path: 'b.json',
      diff: {
        kind: 'json',
        changes: [
          { name: 'a', before: '1', after: '2' },
          { name: 'list[2]', before: null, after: '3' },
          { name: 'gone', before: 'true', after: null },
          { name: 'added', before: null, after: 'null' },
        ],
        more: 0,
      },
    },
    { path: 'c.txt', diff: { kind: 'text', patch: '@@ -1,2 +1,2 @@\n one\n-two\n+2\n' } },
    { path: 'd.txt', diff: { kind: 'binary' } },
  ]);
  expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 8 });
  w.write({ 'p/raw/c.txt': 'one\nby hand\n' });
  const [now] = (await diff(w, { content: true })).outs;
  expect(now?.content).toEqual([
    { path: 'c.txt', diff: { kind: 'text', patch: '@@ -1,2 +1,2 @@\n one\n-2\n+by hand\n' } },
  ]);
});

test('names that are no revisions never reach git as options', async () => {
  const w = await twoVersions();
  for (const before of ['--help', '-p', '']) {
    await expect(diff(w, { before })).rejects.toMatchObject({ code: 'ERR_REVISION' });
  }
  const names = ['p:data', 'p', 'p:data#x', 'main', 'HEAD@{12:00}', ':/fix', 'nobody:raw'];
  expect(names.map((name) => w.engine.isSelector(name))).toEqual([true, true, true, false, false, false, true]);
});
