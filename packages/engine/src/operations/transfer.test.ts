import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
let engine: Engine;
let events: SluiceEvent[];
afterEach(() => engine.close());

/** A workspace with these targets in the project `p` and a directory as its remote. */
async function open(targets: Record<string, unknown>): Promise<void> {
  write('nx.json', '{}');
  write('p/project.json', JSON.stringify({ name: 'p', targets }));
  events = [];
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0, emit: (event) => events.push(event) });
  await engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
}

function write(path: string, content: string | Buffer): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

const track = (...outs: unknown[]) => ({ executor: '@sluice/nx:track', options: { outs } });
const run = (target: string) =>
  engine.runStage({ id: { project: 'p', target } }, { force: false, wait: true, materialize: true });

test('what git keeps goes to a remote only where it is small enough to lie in the store', async () => {
  const outs = ['big', 'small'].map((name) => ({ path: `{projectRoot}/${name}`, cache: false }));
  const command = 'head -c 2000000 /dev/zero > big; echo 1 > small';
  await open({ make: { executor: '@sluice/nx:stage', options: { command, outs } } });
  expect((await run('make')).outcome).toBe('ran');
  expect(await engine.push({ select: [] })).toMatchObject({ files: { sent: 1 }, bytes: { sent: 2 } });
  expect(await engine.fetch({ select: [] })).toMatchObject({ files: { received: 0, reused: 0 } });
  expect((await engine.verify({ deep: true })).findings).toEqual([]);
});

test('a remote that lost a pack is believed until it is asked to be looked at', async () => {
  await open({ data: track('{projectRoot}/data') });
  for (let i = 0; i < 5; i++) write(`p/data/${i}`, `${i}`);
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  const lost = fs.readdirSync(temp('shelf'), { recursive: true, encoding: 'utf8' }).filter((name) => /pack/.test(name));
  for (const name of lost) fs.rmSync(temp('shelf', name), { recursive: true, force: true });
  expect(await engine.push({ select: [] })).toMatchObject({ files: { sent: 0, reused: 5 } });
  expect(await engine.push({ select: [], verify: true })).toMatchObject({ files: { sent: 5 } });
  for (const name of ['.sluice', 'p/data']) fs.rmSync(temp('ws', name), { recursive: true });
  await engine.close();
  engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
  expect(await engine.pull({ select: [] })).toMatchObject({ workspace: { written: 5 } });
  expect(fs.readFileSync(temp('ws', 'p/data/3'), 'utf8')).toBe('3');
});

test('a collection says where what it drops can be had', async () => {
  await open({ data: track('{projectRoot}/data') });
  const notes = () => events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
  write('p/data', 'one');
  await engine.commit({ select: [] });
  await engine.push({ select: [] });
  write('p/data', 'two');
  await engine.commit({ select: [] });
  expect(await engine.gc({ dryRun: true })).toMatchObject({ removed: { blobs: 1 } });
  expect(notes()).toContain('the results that would be dropped are on shelf');
  expect(await engine.gc({})).toMatchObject({ removed: { blobs: 1 }, kept: { blobs: 1 } });
  expect(notes()).toContain('the results that were dropped are on shelf');
});

test.each([
  ['a dataset', track('{projectRoot}/data'), '`sluice commit p:data`'],
  [
    'a stage',
    { executor: '@sluice/nx:stage', options: { command: 'echo 1 > data', outs: ['{projectRoot}/data'] } },
    '`sluice commit --force p:data`',
  ],
])('changes of %s are not replaced, and the way to keep them works', async (_, target, way) => {
  await open({ data: target });
  write('p/data', '1\n');
  await run('data');
  write('p/data', 'by hand');
  await expect(engine.checkout({ select: [] })).rejects.toMatchObject({
    code: 'ERR_OUT_MODIFIED',
    hint: expect.stringContaining(way),
  });
  await engine.commit({ select: ['p:data'], force: way.includes('--force') });
  await engine.checkout({ select: [] });
  expect(fs.readFileSync(temp('ws', 'p/data'), 'utf8')).toBe('by hand');
});

describe('a part of a large flat directory', () => {
  const FILES = 10_294;
  const name = (i: number): string => `image-${String(i).padStart(5, '0')}.txt`;
  beforeEach(async () => {
    await open({ data: track('{projectRoot}/data') });
    for (let i = 0; i < FILES; i++) write(`p/data/${name(i)}`, `image ${i}`);
    await engine.commit({ select: [] });
    await engine.push({ select: [] });
    await engine.close();
    for (const path of ['.sluice', 'p/data']) fs.rmSync(temp('ws', path), { recursive: true });
    engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0, emit: (event) => events.push(event) });
  });

  test('costs what the part needs, and parts add up', async () => {
    const pulled = await engine.pull({ select: [`p:data#${name(5000)}`] });
    expect(pulled).toMatchObject({ files: { received: 1 }, workspace: { written: 1 } });
    const { head, get, list } = pulled.requests;
    expect(head + get + list).toBeLessThanOrEqual(6);
    const trees = fs.readdirSync(temp('ws/.sluice/objects'), { recursive: true, encoding: 'utf8' });
    expect(trees.filter((path) => path.endsWith('.tree'))).toHaveLength(2);
    expect(await engine.pull({ select: [`p:data#${name(7)}`] })).toMatchObject({ workspace: { written: 1 } });
    expect(fs.readdirSync(temp('ws/p/data'))).toEqual([name(7), name(5000)]);
    const [stage] = (await engine.status({ select: [] })).stages;
    expect(stage?.outs).toMatchObject([{ workspace: 'partial', store: 'partial' }]);
    expect((await engine.verify({ deep: true })).findings).toEqual([]);
    await engine.gc({});
    expect(await engine.pull({ select: [] })).toMatchObject({ files: { received: FILES - 2 } });
    expect(fs.readdirSync(temp('ws/p/data'))).toHaveLength(FILES);
  });

  test('is brought for a stage that reads it, and decided about without it', async () => {
    const one = {
      command: 'cp data/image-00042.txt one',
      deps: [`{projectRoot}/data/${name(42)}`],
      outs: ['{projectRoot}/one'],
    };
    write(
      'p/project.json',
      JSON.stringify({
        name: 'p',
        targets: { data: track('{projectRoot}/data'), one: { executor: '@sluice/nx:stage', options: one } },
      }),
    );
    expect((await run('one')).outcome).toBe('ran');
    expect(fs.readdirSync(temp('ws/p/data'))).toEqual([name(42)]);
    expect(fs.readFileSync(temp('ws/p/one'), 'utf8')).toBe('image 42');
    expect((await run('one')).outcome).toBe('unchanged');
  });
});
