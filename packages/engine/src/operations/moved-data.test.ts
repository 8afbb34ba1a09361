import fs from 'node:fs';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
afterEach(() => engine.close());

async function open(project: string, ...outs: string[]): Promise<string[]> {
  fs.mkdirSync(temp('ws', project), { recursive: true });
  fs.writeFileSync(temp('ws/nx.json'), '{}');
  const targets = { raw: { executor: '@sluice/nx:track', options: { outs } } };
  fs.writeFileSync(temp('ws', project, 'project.json'), JSON.stringify({ name: 'p', targets }));
  const told: string[] = [];
  const emit = (event: { type: string; message?: string }): void => {
    if (event.type === 'note') told.push(event.message ?? '');
  };
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0, emit });
  return told;
}

const run = (materialize = true) =>
  engine.runStage({ id: { project: 'p', target: 'raw' } }, { force: false, wait: true, materialize });

/** A dataset of two outs whose project, with its lock, is somewhere else afterwards, and whose data is not. */
async function moved(): Promise<void> {
  await open('libs/a', '{projectRoot}/raw', '{projectRoot}/deep/x.csv');
  fs.mkdirSync(temp('ws/libs/a/raw'));
  fs.mkdirSync(temp('ws/libs/a/deep'));
  fs.writeFileSync(temp('ws/libs/a/raw/1'), '1');
  fs.writeFileSync(temp('ws/libs/a/deep/x.csv'), 'x');
  await run();
  await engine.close();
  fs.mkdirSync(temp('ws/pkgs/b'), { recursive: true });
  fs.renameSync(temp('ws/libs/a/sluice-lock.json'), temp('ws/pkgs/b/sluice-lock.json'));
  fs.rmSync(temp('ws/libs/a/project.json'));
}

test('the data of a project that was moved without it comes back under its new path', async () => {
  await moved();
  const told = await open('pkgs/b', '{projectRoot}/raw', '{projectRoot}/deep/x.csv');
  expect(await run()).toMatchObject({ outcome: 'restored', files: 2, source: 'store' });
  expect(told).toEqual([
    'p:raw: pkgs/b/deep/x.csv is what the lock had as libs/a/deep/x.csv',
    'p:raw: pkgs/b/raw is what the lock had as libs/a/raw',
  ]);
  expect(fs.readFileSync(temp('ws/pkgs/b/raw/1'), 'utf8')).toBe('1');
  expect(fs.readFileSync(temp('ws/pkgs/b/.gitignore'), 'utf8')).toContain('/raw');
  expect(Object.keys(JSON.parse(fs.readFileSync(temp('ws/pkgs/b/sluice-lock.json'), 'utf8')).stages.raw.outs)).toEqual([
    'pkgs/b/deep/x.csv',
    'pkgs/b/raw',
  ]);
  // What lies in the old place is the user's.
  expect(fs.existsSync(temp('ws/libs/a/raw/1'))).toBe(true);
});

test('it stays reference-only where nobody reads it', async () => {
  await moved();
  await open('pkgs/b', '{projectRoot}/raw', '{projectRoot}/deep/x.csv');
  expect(await run(false)).toMatchObject({ outcome: 'unchanged', referenceOnly: ['pkgs/b/deep/x.csv', 'pkgs/b/raw'] });
  expect((await engine.checkout({ select: [] })).workspace.written).toBe(2);
});

test('an out that was never in the lock is refused, and the lock stays as it was', async () => {
  await moved();
  const before = fs.readFileSync(temp('ws/pkgs/b/sluice-lock.json'), 'utf8');
  await open('pkgs/b', '{projectRoot}/other');
  await expect(run()).rejects.toMatchObject({
    code: 'ERR_OUT_MISSING',
    message: 'p:raw: pkgs/b/other is not there and the lock has libs/a/deep/x.csv, libs/a/raw in its stead',
  });
  expect(fs.readFileSync(temp('ws/pkgs/b/sluice-lock.json'), 'utf8')).toBe(before);
});

test('where two of the lock may be meant, none is taken', async () => {
  await open('libs', '{projectRoot}/one/raw', '{projectRoot}/two/raw');
  for (const name of ['one', 'two']) {
    fs.mkdirSync(temp('ws/libs', name));
    fs.writeFileSync(temp('ws/libs', name, 'raw'), name);
  }
  await run();
  await engine.close();
  await open('libs', '{projectRoot}/raw');
  await expect(run()).rejects.toMatchObject({ code: 'ERR_OUT_MISSING' });
});
