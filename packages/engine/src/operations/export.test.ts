import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { diskTree, readTree } from '../testing/disk-tree.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
const LONG = `${'d'.repeat(120)}/${'e'.repeat(120)}`;

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp(path)), { recursive: true });
  fs.writeFileSync(temp(path), content);
}

const track = (...outs: string[]) => ({ executor: '@sluice/nx:track', options: { outs } });
const open = async (): Promise<void> => {
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
};
const lost = (): void => {
  for (const path of ['.sluice', 'p/data', 'p/one.txt']) fs.rmSync(temp('ws', path), { recursive: true, force: true });
};

beforeEach(async () => {
  write('ws/nx.json', '{}');
  write('ws/sluice.json', '{"defaultRemote": "shelf", "remotes": {"shelf": {"url": "file:../shelf"}}}');
  const targets = { data: track('{projectRoot}/data'), one: track('{projectRoot}/one.txt') };
  write('ws/p/project.json', JSON.stringify({ name: 'p', targets }));
  write('ws/p/data/a.txt', 'a');
  write('ws/p/data/run.sh', '#!/bin/sh\n');
  write(`ws/p/data/${LONG}`, 'long');
  write('ws/p/data/big', 'x'.repeat(200_000));
  write('ws/p/one.txt', 'one');
  fs.chmodSync(temp('ws/p/data/run.sh'), 0o755);
  fs.mkdirSync(temp('ws/p/data/empty'));
  fs.symlinkSync('a.txt', temp('ws/p/data/link'));
  await open();
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
});
afterEach(() => engine.close());

test('one out fills the directory, several lie below their paths', async () => {
  const data = readTree(temp('ws/p/data'));
  expect(await engine.exportData({ select: ['p:data'], to: temp('x') })).toMatchObject({
    written: 5,
    unchanged: 0,
    bytes: 200_020,
  });
  expect(readTree(temp('x'))).toEqual(data);
  await engine.exportData({ select: ['p:one'], to: temp('y') });
  expect(readTree(temp('y'))).toEqual(diskTree({ 'one.txt': 'one' }));
  await engine.exportData({ select: ['p'], to: temp('z') });
  expect(readTree(temp('z/p/data'))).toEqual(data);
  expect(fs.readFileSync(temp('z/p/one.txt'), 'utf8')).toBe('one');
  await engine.exportData({ select: ['p:data#*.txt'], to: temp('some') });
  expect(readTree(temp('some'))).toEqual(diskTree({ 'a.txt': 'a' }));
});

test('goes on where it was, and replaces nothing unless told to', async () => {
  await engine.exportData({ select: ['p:data'], to: temp('x') });
  fs.rmSync(temp('x/big'));
  fs.chmodSync(temp('x/run.sh'), 0o644);
  fs.mkdirSync(temp('x/.sluice-export-0a-0b-1-4194304-1-0c'));
  write('x/mine', 'mine');
  expect(await engine.exportData({ select: ['p:data'], to: temp('x') })).toMatchObject({ written: 1, unchanged: 4 });
  expect(fs.statSync(temp('x/run.sh')).mode & 0o100).toBe(0o100);
  write('x/a.txt', 'b');
  fs.rmSync(temp('x/big'));
  await expect(engine.exportData({ select: ['p:data'], to: temp('x') })).rejects.toMatchObject({
    code: 'ERR_EXPORT_EXISTS',
  });
  expect([fs.existsSync(temp('x/big')), fs.readFileSync(temp('x/a.txt'), 'utf8')]).toEqual([false, 'b']);
  expect(await engine.exportData({ select: ['p:data'], to: temp('x'), force: true })).toMatchObject({ written: 2 });
  fs.rmSync(temp('x/mine'));
  fs.rmSync(temp('x/.sluice-export-0a-0b-1-4194304-1-0c'), { recursive: true, force: true });
  expect(readTree(temp('x'))).toEqual(readTree(temp('ws/p/data')));
});

test('brings what is not here, of an older revision too', async () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: temp('ws') });
  git('init', '-q');
  git('add', 'p/sluice-lock.json');
  git('commit', '-qm', 'one');
  write('ws/p/one.txt', 'two');
  await engine.commit({ select: ['p:one'] });
  await engine.close();
  lost();
  await open();
  await engine.exportData({ select: ['p:one'], rev: 'HEAD', to: temp('old') });
  expect(fs.readFileSync(temp('old/one.txt'), 'utf8')).toBe('one');
  await expect(engine.exportData({ select: ['p:one'], to: temp('new') })).rejects.toMatchObject({
    code: 'ERR_NOT_LOCAL',
  });
  expect(fs.existsSync(temp('new'))).toBe(false);
});

describe('a tar file', () => {
  test('is what tar unpacks, and the same for the same data', async () => {
    const tar = (name: string) => engine.exportData({ select: ['p:data'], to: temp(name), tar: true });
    expect(await tar('a.tar')).toMatchObject({ written: 5, bytes: 200_015 });
    await tar('b.tar');
    expect(fs.readFileSync(temp('a.tar')).equals(fs.readFileSync(temp('b.tar')))).toBe(true);
    fs.mkdirSync(temp('x'));
    execFileSync('tar', ['-xf', temp('a.tar'), '-C', temp('x')]);
    expect(readTree(temp('x'))).toEqual(readTree(temp('ws/p/data')));
    await expect(tar('a.tar')).rejects.toMatchObject({ code: 'ERR_EXPORT_EXISTS' });
  });

  test('of several outs names their paths', async () => {
    await engine.exportData({ select: ['p'], to: temp('a.tar'), tar: true });
    const names = execFileSync('tar', ['-tf', temp('a.tar')], { encoding: 'utf8' }).split('\n');
    expect(names).toEqual(expect.arrayContaining(['p/one.txt', 'p/data/a.txt', 'p/data/empty/']));
  });
});

test.each([[['p:data#none']], [['q']]])('refuses %j', async (select) => {
  await expect(engine.exportData({ select, to: temp('x') })).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_(USAGE|SELECTOR)$/),
  });
});
