import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
beforeEach(async () => {
  const outs = ['{projectRoot}/data', { path: '{projectRoot}/mine', push: false }];
  write('nx.json', '{}');
  write('p/project.json', JSON.stringify({ targets: { data: { executor: '@sluice/nx:track', options: { outs } } } }));
  write('p/mine', 'never pushed');
  for (let i = 0; i < 5; i++) write(`p/data/${i}`, `${i}`);
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
  await engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
  await engine.commit({ select: [] });
});
afterEach(() => engine.close());

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

const git = (...args: string[]): Buffer =>
  execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=n@example.com', ...args], {
    cwd: temp('ws'),
    stdio: 'pipe',
  });
const removePacks = (): void => fs.rmSync(temp('shelf', 'shared', 'packs'), { recursive: true });
const found = async (options: Parameters<Engine['verifyRemote']>[0]): Promise<[string, boolean][]> =>
  (await engine.verifyRemote(options)).findings.map(({ problem, repaired }) => [problem.code, repaired]);

test('what is not there, lost or damaged is found, and sent again', async () => {
  expect(await found({})).toEqual([['ERR_OBJECT_MISSING', false]]);
  expect(await found({ repair: true })).toEqual([['ERR_OBJECT_MISSING', true]]);
  expect(await engine.verifyRemote({ deep: true })).toMatchObject({
    findings: [],
    checked: { objects: 6, bytes: 5 + 188 },
  });
  removePacks();
  const { findings } = await engine.verifyRemote({});
  expect(findings.map(({ where, name }) => `${where} ${name.replace(/[0-9a-f]{32}/, 'x')}`)).toEqual([
    'remote shared/packs/x.pack',
    'remote shared/packs/x.pack',
  ]);
  expect(await found({ repair: true })).toEqual([
    ['ERR_OBJECT_MISSING', true],
    ['ERR_OBJECT_MISSING', true],
  ]);
  expect(await found({ deep: true })).toEqual([]);
});

test('what the store does not have either stays open', async () => {
  await engine.push({ select: [] });
  removePacks();
  fs.rmSync(temp('ws', '.sluice'), { recursive: true });
  await engine.close();
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
  const findings = await found({ repair: true });
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.every(([, repaired]) => !repaired)).toBe(true);
});

test('versions of the history count when they are asked for', async () => {
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'one');
  write('p/data/0', 'new');
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  expect(await found({})).toEqual([]);
  expect(await found({ allCommits: true })).toEqual([['ERR_OBJECT_MISSING', false]]);
  expect(await found({ allCommits: true, repair: true })).toEqual([['ERR_OBJECT_MISSING', true]]);
});

test('a remote says how much it holds', async () => {
  await engine.push({ select: [] });
  const { bytes, ...stat } = await engine.remoteStat(undefined);
  expect(stat).toEqual({ remote: 'shelf', blobs: 5, trees: 1, packs: 2, records: 0, referencedBytes: 5 });
  const files = fs.readdirSync(temp('shelf'), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const sizes = files.map((file) => fs.statSync(`${file.parentPath}/${file.name}`).size);
  expect(bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
});
