import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;

async function open(): Promise<void> {
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
}

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

const files = (): string[] =>
  fs.readdirSync(temp('ws/p/data'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));

beforeEach(async () => {
  write('nx.json', '{}');
  write('sluice.json', '{"defaultRemote": "shelf", "remotes": {"shelf": {"url": "file:../shelf"}}}');
  const data = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };
  write('p/project.json', JSON.stringify({ name: 'p', targets: { data } }));
  for (let i = 0; i < 100; i++) write(`p/data/${i % 4}/${i}.txt`, `file ${i}`);
  await open();
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  await engine.close();
  for (const path of ['.sluice', 'p/data']) fs.rmSync(temp('ws', path), { recursive: true });
  await open();
});
afterEach(() => engine.close());

test('only the files of the sample come, and the out is partial', async () => {
  const pulled = await engine.pull({ select: [], sample: 'random:1/10' });
  expect(pulled).toMatchObject({ files: { received: 10, reused: 0 }, workspace: { written: 10 } });
  expect(files()).toHaveLength(10);
  const [stage] = (await engine.status({ select: [] })).stages;
  expect(stage).toMatchObject({ state: 'unchanged', outs: [{ workspace: 'partial', store: 'partial' }] });
});

test('another seed is another choice, the same seed is the same one', async () => {
  const first = await engine.fetch({ select: [], sample: 'group:1/5', seed: 1 });
  expect(first.files).toEqual({ received: 20, reused: 0 });
  expect((await engine.fetch({ select: [], sample: 'group:1/5', seed: 1 })).files).toEqual({ received: 0, reused: 20 });
  expect((await engine.fetch({ select: [], sample: 'group:1/5', seed: 2 })).files.received).toBeGreaterThan(5);
});

test('a sample of what a pattern names', async () => {
  await engine.pull({ select: ['p:data#0/*.txt'], sample: 'range:0:all:5' });
  expect(files()).toEqual(['0/0.txt', '0/28.txt', '0/44.txt', '0/64.txt', '0/80.txt']);
});

test.each([
  [{ sample: 'random:2/1' }],
  [{ sample: 'group:1/100' }],
  [{ sample: 'range:0:101' }],
  [{ sample: 'random:1/10', history: true }],
  [{ seed: 1 }],
])('refuses %j, and touches nothing', async (options) => {
  await expect(engine.pull({ select: [], ...options })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  expect(fs.existsSync(temp('ws/p/data'))).toBe(false);
});

describe('a part is not taken for the whole', () => {
  const lock = (): string => fs.readFileSync(temp('ws/p/sluice-lock.json'), 'utf8');
  let locked: string;
  beforeEach(async () => {
    locked = lock();
    await engine.pull({ select: [], sample: 'random:1/10' });
  });

  test('as it was put there', async () => {
    await expect(engine.commit({ select: [] })).rejects.toMatchObject({
      code: 'ERR_OUT_PART',
      hint: expect.stringContaining('`sluice pull p:data`'),
    });
    await engine.pull({ select: [] });
    expect(files()).toHaveLength(100);
    await engine.commit({ select: [] });
    expect(lock()).toBe(locked);
  });

  test('with changes, however often it was looked at since, and the ways out work', async () => {
    write('p/data/new.txt', 'new');
    for (let i = 0; i < 2; i++) {
      const [stage] = (await engine.status({ select: [] })).stages;
      expect(stage).toMatchObject({ outs: [{ workspace: 'modified' }] });
      await expect(engine.commit({ select: [] })).rejects.toMatchObject({
        code: 'ERR_OUT_PART',
        hint: expect.stringContaining('`sluice pull --force p:data`'),
      });
      await expect(
        engine.runStage({ id: { project: 'p', target: 'data' } }, { force: false, wait: true, materialize: true }),
      ).rejects.toMatchObject({ code: 'ERR_OUT_PART' });
    }
    expect(lock()).toBe(locked);
    await engine.pull({ select: [], force: true });
    expect(files()).toHaveLength(100);
    await engine.commit({ select: [] });
    expect(lock()).toBe(locked);
  });

  test('unless somebody says so', async () => {
    write('p/data/new.txt', 'new');
    const { stages } = await engine.commit({ select: ['p:data'], force: true });
    expect(stages).toMatchObject([{ outs: [{ files: 11 }] }]);
    write('p/data/newer.txt', 'newer');
    expect((await engine.commit({ select: [] })).stages).toMatchObject([{ outs: [{ files: 12 }] }]);
  });
});
