import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { parseMergedLock } from '../model/lock.js';
import { useTempDir } from '../testing/temp-dir.js';
import type { MergeLocksReport, ResolveReport } from './reports.js';

const temp = useTempDir();
let engine: Engine;
let events: SluiceEvent[];
afterEach(() => engine.close());

const LOCK = 'p/sluice-lock.json';
const RAW = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } };

type Contents = Readonly<Record<string, string>>;

/** Opens an engine on `ws`; a second time it is that of a clone without any data. */
async function open(offline = false): Promise<void> {
  events = [];
  engine = await openEngine({
    root: temp('ws'),
    env: process.env,
    threads: 0,
    offline,
    emit: (event) => events.push(event),
  });
}

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

function git(...args: string[]): void {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e@x', '-c', 'init.defaultBranch=main'];
  execFileSync('git', [...identity, ...args], { cwd: temp('ws'), stdio: 'pipe' });
}

/**
 * Commits and pushes versions of the dataset, `ours` and `theirs` on branches that come from `base`; each lock is kept in a file of the version's name. A merge of `theirs` into
 * `ours` has begun then.
 */
async function versions(list: Readonly<Record<'base' | 'ours' | 'theirs', Contents | undefined>>): Promise<void> {
  write('nx.json', '{}');
  write('p/project.json', JSON.stringify({ name: 'p', targets: { raw: RAW } }));
  await open();
  await engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '-m', 'begin');
  for (const [name, files] of Object.entries(list)) {
    git('checkout', '--quiet', '-b', name, ...(name === 'base' ? [] : ['base']));
    fs.rmSync(temp('ws', 'p/raw'), { recursive: true, force: true });
    fs.rmSync(temp('ws', LOCK), { force: true });
    for (const [path, content] of Object.entries(files ?? {})) write(`p/raw/${path}`, content);
    if (files !== undefined) {
      await engine.commit({ select: [] });
      await engine.push({ select: [] });
    } else if (name !== 'base') write(LOCK, '{"version": 1, "stages": {}}\n');
    fs.writeFileSync(temp(name), '');
    if (fs.existsSync(temp('ws', LOCK))) fs.copyFileSync(temp('ws', LOCK), temp(name));
    git('add', '-A');
    git('commit', '--quiet', '--allow-empty', '-m', name);
  }
  git('checkout', '--quiet', 'ours');
  git('merge', '--quiet', '--no-commit', '--strategy', 'ours', 'theirs');
}

/** What a fresh clone has: nothing but the lock of our side. */
async function forget(offline = false): Promise<void> {
  await engine.close();
  for (const name of ['.sluice', 'p/raw']) fs.rmSync(temp('ws', name), { recursive: true, force: true });
  fs.copyFileSync(temp('ours'), temp('ws', LOCK));
  await open(offline);
}

async function merge(): Promise<MergeLocksReport> {
  const sides = { base: temp('base'), ours: temp('ours'), theirs: temp('theirs') };
  const report = await engine.mergeLocks({ ...sides, path: temp('ws', LOCK) });
  fs.copyFileSync(temp('ours'), temp('ws', LOCK));
  return report;
}

const conflicts = ({ conflicts: found }: MergeLocksReport): string[] =>
  found.map(({ path, class: name }) => `${path} ${name}`);

/** The files that the lock names, after pulling them. */
async function pulled(): Promise<Contents> {
  await engine.push({ select: [] });
  await engine.pull({ select: [], force: true });
  return files();
}

function files(): Contents {
  const names = fs.readdirSync(temp('ws', 'p/raw'), { recursive: true, encoding: 'utf8' });
  const plain = names.filter((name) => fs.statSync(temp('ws', 'p/raw', name)).isFile()).sort();
  return Object.fromEntries(plain.map((name) => [name, fs.readFileSync(temp('ws', 'p/raw', name), 'utf8')]));
}

const BASE = { a: '1', b: '1', 'd/x': '1', 'e/y': '1' };

test('a merge needs no blob, and its push sends none', async () => {
  await versions({ base: BASE, ours: { ...BASE, 'd/new': '2' }, theirs: { a: '1', b: '3', 'd/x': '1', 'e/y': '1' } });
  await forget();
  expect(await merge()).toEqual({ path: LOCK, stages: ['raw'], conflicts: [], text: false });
  expect(await engine.storeStat()).toMatchObject({ blobs: 0, bytes: 0 });
  const lock = parseMergedLock(fs.readFileSync(temp('ws', LOCK), 'utf8'), LOCK);
  expect(lock.stages.get('raw')).not.toHaveProperty('merged');
  expect(await engine.push({ select: [] })).toMatchObject({
    files: { sent: 0 },
    bytes: { sent: 0 },
    objects: { sent: 1 },
  });
  expect(await pulled()).toEqual({ ...BASE, b: '3', 'd/new': '2' });
});

test('data from before the merge is not committed over its result', async () => {
  await versions({ base: BASE, ours: { ...BASE, x: '2' }, theirs: { ...BASE, y: '3' } });
  fs.rmSync(temp('ws', 'p/raw'), { recursive: true });
  await engine.checkout({ select: [], rev: 'ours' });
  await merge();
  const commit = (force: boolean) => engine.commit({ select: ['p:raw'], force });
  const stale = { code: 'ERR_OUT_MODIFIED', message: 'p:raw: p/raw is still what it was before the merge of HEAD' };
  await expect(commit(false)).rejects.toMatchObject(stale);
  git('commit', '--quiet', '-a', '-m', 'merge');
  await expect(commit(false)).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  write('p/raw/z', '4');
  await commit(false);
  fs.rmSync(temp('ws', 'p/raw/z'));
  await commit(true);
  expect(files()).toEqual({ ...BASE, x: '2' });
});

test('data of a merge that nobody has pushed comes from both sides of it', async () => {
  const ours = { ...BASE, 'd/x': '2', 'd/new': '2', 'o/p': '4' };
  await versions({ base: BASE, ours, theirs: { a: '1', b: '3', 'd/x': '1', 'e/y': '1', 't/u': '5' } });
  await forget();
  await merge();
  const merged = { ...ours, b: '3', 't/u': '5' };
  expect(await engine.pull({ select: ['p:raw#t/*'] })).toMatchObject({
    files: { received: 1 },
    bytes: { received: 1 },
  });
  expect(await engine.pull({ select: [] })).toMatchObject({ bytes: { received: 4 }, left: { files: 0 } });
  expect(files()).toEqual(merged);
  expect((await engine.verify({ deep: true })).findings).toEqual([]);
  expect(await engine.push({ select: [] })).toMatchObject({ bytes: { sent: 0 } });
});

test('conflicts stand in the lock, which nothing else reads, until each is resolved', async () => {
  const ours = { b: '2', 'd/x': '2', 'n/z': '2', c: '2' };
  const theirs = { a: '3', b: '3', 'd/x': '3', 'n/z': '3', c: '2' };
  await versions({ base: BASE, ours, theirs });
  await forget();
  expect(conflicts(await merge())).toEqual([
    'a removed-changed',
    'b both-changed',
    'd/x both-changed',
    'n/z both-added',
  ]);

  // Somebody has data there, and that helps nobody.
  write('p/raw/mine', '9');
  const { stages, conflicts: shown } = await engine.status({ select: [] });
  expect(stages).toMatchObject([{ state: 'conflict' }]);
  expect(shown?.[0]).toMatchObject({ selector: 'p:raw#a', bytes: { base: 1, ours: null, theirs: 1 } });
  for (const act of [
    () => engine.commit({ select: ['p:raw'] }),
    () => engine.checkout({ select: [] }),
    () => engine.push({ select: [] }),
    () => engine.pull({ select: [] }),
    () => engine.runStage({ id: { project: 'p', target: 'raw' } }, { force: false, wait: true, materialize: true }),
  ]) {
    await expect(act()).rejects.toMatchObject({ code: 'ERR_LOCK_CONFLICT' });
  }
  await expect(engine.gc({})).rejects.toMatchObject({ exitCode: 4 });

  const paths = ({ resolved, left }: ResolveReport): unknown => [
    resolved.map(({ path }) => path),
    left.map(({ path }) => path),
  ];
  expect(paths(await engine.resolve({ select: ['p:raw#a'], side: 'theirs' }))).toEqual([['a'], ['b', 'd/x', 'n/z']]);
  await expect(engine.resolve({ select: ['p:raw#a'], side: 'ours' })).rejects.toMatchObject({ code: 'ERR_SELECTOR' });
  expect(paths(await engine.resolve({ select: ['p:raw#d/*'], side: 'ours' }))).toEqual([['d/x'], ['b', 'n/z']]);
  expect(await engine.resolve({ select: [], side: 'theirs' })).toMatchObject({ left: [], locks: [LOCK] });
  expect(JSON.parse(fs.readFileSync(temp('ws', LOCK), 'utf8'))).toMatchObject({ version: 1 });
  expect(await engine.storeStat()).toMatchObject({ blobs: 0 });
  expect(await engine.push({ select: [] })).toMatchObject({ bytes: { sent: 0 } });
  expect(await pulled()).toEqual({ a: '3', b: '3', c: '2', 'd/x': '2', 'n/z': '3' });
});

test('without its trees an out is not merged, and can be merged when they come', async () => {
  await versions({ base: BASE, ours: { ...BASE, b: '2' }, theirs: { ...BASE, c: '3' } });
  await forget(true);
  const report = await merge();
  expect(report.conflicts).toMatchObject([
    { path: '', class: 'both-changed', missing: expect.stringMatching(/^sha256:/) },
  ]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'ERR_NOT_LOCAL' }));
  expect(await engine.resolve({ select: [] })).toMatchObject({ resolved: [], left: [{ path: '' }] });
  await engine.close();
  await open();
  expect(await engine.resolve({ select: [] })).toMatchObject({ resolved: [{ path: '' }], left: [] });
  expect(await pulled()).toEqual({ ...BASE, b: '2', c: '3' });
});

test('a dataset that one side removed and the other changed is one conflict', async () => {
  const changed = { ...BASE, c: '1' };
  for (const [ours, theirs, side, kept] of [
    [undefined, changed, 'theirs', changed],
    [changed, undefined, 'ours', changed],
  ] as const) {
    await versions({ base: BASE, ours, theirs });
    await forget();
    expect((await merge()).conflicts).toMatchObject([{ path: '', missing: null }]);
    await engine.resolve({ select: ['p:raw'], side });
    expect(await pulled()).toEqual(kept);
    await engine.close();
    for (const name of ['ws', 'shelf']) fs.rmSync(temp(name), { recursive: true });
  }
  await open().catch(() => undefined);
});

test('both sides that added a dataset have the files of both', async () => {
  await versions({ base: undefined, ours: { a: '1' }, theirs: { b: '2' } });
  await forget();
  expect((await merge()).conflicts).toEqual([]);
  expect(await pulled()).toEqual({ a: '1', b: '2' });
});

test("the result of a stage is nobody's result after a merge, until the stage has run", async () => {
  const make = { command: 'mkdir out && cp in/* out', deps: ['{projectRoot}/in'], outs: ['{projectRoot}/out'] };
  write('nx.json', '{}');
  write(
    'p/project.json',
    JSON.stringify({ name: 'p', targets: { make: { executor: '@sluice/nx:stage', options: make } } }),
  );
  await open();
  const run = () =>
    engine.runStage({ id: { project: 'p', target: 'make' } }, { force: false, wait: true, materialize: true });
  write('p/in/a', '1');
  await run();
  fs.copyFileSync(temp('ws', LOCK), temp('base'));
  write('p/in/b', '2');
  await run();
  fs.copyFileSync(temp('ws', LOCK), temp('ours'));
  fs.rmSync(temp('ws', 'p/in/b'));
  write('p/in/c', '3');
  await run();
  fs.copyFileSync(temp('ws', LOCK), temp('theirs'));
  write('p/in/b', '2');

  expect(await merge()).toMatchObject({ stages: ['make'], conflicts: [] });
  expect(JSON.parse(fs.readFileSync(temp('ws', LOCK), 'utf8'))).toMatchObject({
    version: 2,
    stages: { make: { merged: true, outs: { 'p/out': { files: 3 } } } },
  });
  await engine.checkout({ select: [] });
  expect(fs.readdirSync(temp('ws', 'p/out'))).toEqual(['a', 'b', 'c']);
  const [stage] = (await engine.status({ select: [] })).stages;
  expect(stage).toMatchObject({ state: 'changed', reasons: [{ kind: 'merged' }] });
  expect(await run()).toMatchObject({ outcome: 'ran' });
  expect(JSON.parse(fs.readFileSync(temp('ws', LOCK), 'utf8'))).toMatchObject({ version: 1 });
  expect(await run()).toMatchObject({ outcome: 'unchanged' });
});

test('a frozen stage is not run because of a merge', async () => {
  const options = { command: 'echo 1 > out', outs: ['{projectRoot}/out'], frozen: true };
  write('nx.json', '{}');
  write('p/project.json', JSON.stringify({ name: 'p', targets: { make: { executor: '@sluice/nx:stage', options } } }));
  await open();
  const run = () =>
    engine.runStage({ id: { project: 'p', target: 'make' } }, { force: false, wait: true, materialize: true });
  await run();
  const lock = JSON.parse(fs.readFileSync(temp('ws', LOCK), 'utf8'));
  const { outs } = lock.stages.make;
  fs.writeFileSync(temp('ws', LOCK), JSON.stringify({ version: 2, stages: { make: { merged: true, outs } } }));
  await expect(run()).rejects.toMatchObject({ code: 'ERR_FROZEN' });
});

test('what is no lock is merged as text', async () => {
  write('nx.json', '{}');
  await open();
  fs.mkdirSync(temp('ws', 'p'));
  for (const [name, text] of [
    ['base', 'x\n'],
    ['ours', '{"version": 9}\n'],
    ['theirs', 'y\n'],
  ] as const) {
    fs.writeFileSync(temp(name), text);
  }
  expect(await merge()).toMatchObject({ text: true, markers: true });
  expect(fs.readFileSync(temp('ours'), 'utf8')).toMatch(/^<{7} ours\n\{"version": 9\}\n={7}\ny\n>{7} theirs\n$/);
});

test('with too many conflicts an out is one', async () => {
  const all = (content: string): Contents =>
    Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, content]));
  await versions({ base: all('1'), ours: all('2'), theirs: all('3') });
  expect(conflicts(await merge())).toEqual([' both-changed']);
  await engine.resolve({ select: [], side: 'theirs' });
  expect(fs.readFileSync(temp('ws', LOCK), 'utf8')).toBe(fs.readFileSync(temp('theirs'), 'utf8'));
});
