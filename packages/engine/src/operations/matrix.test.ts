import fs from 'node:fs';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
afterEach(() => engine.close());

const train = {
  executor: '@sluice/nx:stage',
  options: {
    matrix: { seed: [1, 2], model: ['a', 'b'] },
    command: 'mkdir -p m && echo {matrix.seed} {matrix.model} $(cat in.txt) > m/{matrix.model}-{matrix.seed}',
    deps: ['{projectRoot}/in.txt'],
    outs: ['{projectRoot}/m/{matrix.model}-{matrix.seed}'],
  },
  configurations: { loud: { command: 'mkdir -p m && echo LOUD {matrix.seed} > m/{matrix.model}-{matrix.seed}' } },
};

async function open(target: unknown = train): Promise<void> {
  fs.mkdirSync(temp('ws/p'), { recursive: true });
  fs.writeFileSync(temp('ws/nx.json'), '{}');
  fs.writeFileSync(temp('ws/p/in.txt'), 'in\n');
  fs.writeFileSync(temp('ws/p/project.json'), JSON.stringify({ name: 'p', targets: { train: target } }));
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
}

const read = (path: string): string => fs.readFileSync(temp('ws', path), 'utf8');
const run = (target: string, more: { configuration?: string; options?: unknown } = {}) =>
  engine.runStage({ id: { project: 'p', target }, ...more }, { force: false, wait: true, materialize: true });
const states = async (): Promise<string[]> =>
  (await engine.status({ select: [] })).stages.map(({ target, state }) => `${target} ${state}`);

test('each combination is a stage of its own', async () => {
  await open();
  expect(await states()).toEqual(['train@1-a new', 'train@1-b new', 'train@2-a new', 'train@2-b new']);
  expect((await run('train@2-a')).outcome).toBe('ran');
  expect(read('p/m/a-2')).toBe('2 a in\n');
  expect(await states()).toEqual(['train@1-a new', 'train@1-b new', 'train@2-a unchanged', 'train@2-b new']);
  expect(Object.keys(JSON.parse(read('p/sluice-lock.json')).stages)).toEqual(['train@2-a']);
});

test('the target itself means all of them', async () => {
  await open();
  expect(await run('train')).toMatchObject({ outcome: 'ran', files: 4 });
  expect((await run('train')).outcome).toBe('unchanged');
  expect(fs.readdirSync(temp('ws/p/m'))).toEqual(['a-1', 'a-2', 'b-1', 'b-2']);
  fs.rmSync(temp('ws/p/m'), { recursive: true });
  expect(await engine.checkout({ select: ['p:train'] })).toMatchObject({ workspace: { written: 4 } });
  expect(await engine.checkout({ select: ['p:train@1-b'] })).toMatchObject({ workspace: { written: 0 } });
  await expect(engine.explain('p:train')).rejects.toMatchObject({ code: 'ERR_USAGE' });
  expect((await engine.explain('p:train@1-a')).target).toBe('train@1-a');
});

test('what the host has run already does not run again, and its data comes back', async () => {
  for (const always of [false, true]) {
    await open({ ...train, options: { ...train.options, always } });
    const settled = ['train@1-a', 'train@1-b', 'train@2-a'];
    for (const target of settled) await run(target);
    fs.rmSync(temp('ws/p/m/a-1'));
    const rest = { force: true, wait: true, materialize: true, settled };
    expect(await engine.runStage({ id: { project: 'p', target: 'train' } }, rest)).toMatchObject({ files: 2 });
    expect(fs.readdirSync(temp('ws/p/m'))).toEqual(['a-1', 'a-2', 'b-1', 'b-2']);
    const all = { ...rest, settled: [...settled, 'train@2-b'] };
    expect(await engine.runStage({ id: { project: 'p', target: 'train' } }, all)).toMatchObject({
      outcome: 'unchanged',
    });
    await engine.close();
  }
});

test('as Nx hands the options over, and in a configuration', async () => {
  await open();
  await run('train', { options: train.options });
  expect(await run('train', { configuration: 'loud' })).toMatchObject({ outcome: 'ran' });
  expect(read('p/m/b-1')).toBe('LOUD 1\n');
});

test('one more value runs only what is new', async () => {
  await open();
  await run('train');
  await engine.close();
  await open({ ...train, options: { ...train.options, matrix: { seed: [1, 2, 3], model: ['a', 'b'] } } });
  expect((await states()).filter((state) => !state.endsWith('unchanged'))).toEqual(['train@3-a new', 'train@3-b new']);
});

test('a matrix that is wrong is told where the stage is addressed', async () => {
  await open({ ...train, options: { ...train.options, matrix: { seed: 1 } } });
  await expect(run('train')).rejects.toMatchObject({
    code: 'ERR_STAGE_DEFINITION',
    message: expect.stringContaining('option matrix'),
  });
});
