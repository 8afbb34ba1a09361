import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
let events: SluiceEvent[];

beforeEach(async () => {
  events = [];
  write('nx.json', '{}');
  const data = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };
  write('p/project.json', JSON.stringify({ name: 'p', targets: { data } }));
  git('init', '-q', '-b', 'main');
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0, emit: (event) => events.push(event) });
  await engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
});
afterEach(() => engine.close());

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

function git(...args: string[]): void {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...who, ...args], { cwd: temp('ws'), stdio: 'ignore' });
}

/** A version of the data: ten files of its own and ten that all have. */
async function version(name: string): Promise<void> {
  fs.rmSync(temp('ws', 'p/data'), { recursive: true, force: true });
  for (let i = 0; i < 10; i++) {
    write(`p/data/${i}`, `${name} ${i}`);
    write(`p/data/same/${i}`, `same ${i}`);
  }
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  git('add', '-A');
  git('commit', '-q', '-m', name);
}

const collectNow = (more = {}) => engine.gcRemote({ remote: 'shelf', graceMs: 0, ...more });

test('what no branch and no tag names goes, and the rest can be pulled', async () => {
  await version('one');
  git('tag', 'first');
  await version('two');
  git('branch', 'side');
  await version('three');
  await version('four');
  expect(await collectNow({ dryRun: true })).toMatchObject({ condemned: { blobs: 10 }, dryRun: true });
  const report = await collectNow();
  expect(report).toMatchObject({ remote: 'shelf', removed: { blobs: 10, trees: 1 }, kept: { blobs: 40, trees: 4 } });
  expect(report).toMatchObject({ dueMs: null, foreignRoots: 0, condemned: { blobs: 0 }, dryRun: false });
  expect(report.freed.bytes).toBeGreaterThan(0);
  expect(await engine.remoteStat('shelf')).toMatchObject({ blobs: 40, trees: 4 });
  fs.rmSync(temp('ws', '.sluice'), { recursive: true });
  await engine.close();
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
  for (const rev of ['first', 'side', 'main']) await engine.fetch({ select: [], rev });
  await expect(engine.fetch({ select: [], rev: 'main~1' })).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
});

test('a wider scope keeps more', async () => {
  await version('one');
  await version('two');
  expect(await collectNow({ allCommits: true })).toMatchObject({ removed: { blobs: 0 }, kept: { blobs: 30 } });
  expect(await collectNow({ recordsMs: 3_600_000 })).toMatchObject({ removed: { blobs: 0 } });
  expect(await collectNow({ num: 1 })).toMatchObject({ removed: { blobs: 10 } });
});

test('by default nothing goes at once, and a short grace period is warned of', async () => {
  await version('one');
  await version('two');
  expect(await engine.gcRemote({ remote: 'shelf' })).toMatchObject({ removed: { blobs: 0 }, condemned: { blobs: 0 } });
  expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
  await collectNow();
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'warning', message: expect.stringMatching(/nobody pushes/) }),
  );
});

test('what another repository has pushed to the same place stays', async () => {
  await version('one');
  git('update-ref', '-d', 'refs/heads/main');
  write('p/data/other', 'other');
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  expect(await collectNow()).toMatchObject({ foreignRoots: 1, removed: { blobs: 0 } });
  expect(await collectNow({ foreignMs: 0 })).toMatchObject({ foreignRoots: 0, removed: { trees: 1 } });
});

test('a history that is cut off, a lock at a tip that cannot be read, and no git stop it', async () => {
  await version('one');
  await version('two');
  git('checkout', '-q', '-b', 'broken');
  write('p/sluice-lock.json', '<<<<<<< ours\n');
  git('commit', '-q', '-a', '-m', 'broken');
  git('checkout', '-q', 'main');
  await expect(collectNow()).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
  git('branch', '-D', 'broken');
  fs.writeFileSync(temp('ws', '.git/shallow'), execFileSync('git', ['rev-parse', 'HEAD'], { cwd: temp('ws') }));
  await expect(collectNow()).rejects.toMatchObject({ code: 'ERR_SHALLOW_CLONE' });
  fs.rmSync(temp('ws', '.git'), { recursive: true });
  await expect(collectNow()).rejects.toMatchObject({ code: 'ERR_GC_STOPPED' });
  const left = fs.readdirSync(temp('shelf', 'shared/gc'), { recursive: true });
  expect(left).toEqual(['holds']);
});
