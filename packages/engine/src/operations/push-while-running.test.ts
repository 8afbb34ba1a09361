import fs from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
const opened: Engine[] = [];
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

const stage = (command: string, deps: string[], out: string) => ({
  executor: '@sluice/nx:stage',
  options: { command, deps, outs: [`{projectRoot}/${out}`] },
});

function write(path: string, content: string): void {
  fs.mkdirSync(dirname(temp('ws', path)), { recursive: true });
  fs.writeFileSync(temp('ws', path), content);
}

async function open(): Promise<Engine> {
  const engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0 });
  opened.push(engine);
  return engine;
}

/** `first` makes something, `last` waits for a gate before it does. */
async function workspace(remote = temp('shelf')): Promise<Engine> {
  const gated = `touch waiting; while [ ! -e gate ]; do sleep 0.05; done; cat first first > last`;
  const targets = {
    first: stage('cat in > first', ['{projectRoot}/in'], 'first'),
    last: stage(gated, ['{projectRoot}/first'], 'last'),
  };
  write('nx.json', '{}');
  write('p/in', 'one');
  write('p/project.json', JSON.stringify({ name: 'p', targets }));
  const engine = await open();
  await engine.addRemote({ name: 'shelf', url: `file://${remote}` });
  return engine;
}

const run = (engine: Engine, target: string) =>
  engine.runStage({ id: { project: 'p', target } }, { force: false, wait: true, materialize: true });

const onRemote = async (engine: Engine, target: string): Promise<string | undefined> =>
  (await engine.status({ select: [`p:${target}`], remotes: 'own' })).stages[0]?.outs[0]?.remote.shelf;

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

/** Starts the last stage and returns when its command waits. */
async function begin(engine: Engine): Promise<{ readonly ended: ReturnType<typeof run>; open(): void }> {
  const ended = run(engine, 'last');
  await until(() => fs.existsSync(temp('ws', 'p/waiting')));
  return { ended, open: () => write('p/gate', '') };
}

const recordsOf = (dir: string): string[] =>
  fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /records.*json$/.test(name));

test.each([
  ['in this process', async (engine: Engine) => engine],
  ['in another', async () => open()],
])('what a stage made %s is on the remote while another stage still runs', async (_, runner) => {
  const engine = await workspace();
  const pusher = engine.pushWhileRunning({ everyMs: 20 });
  const other = await runner(engine);
  await run(other, 'first');
  const last = await begin(other);
  await until(async () => (await onRemote(engine, 'first')) === 'complete');
  await until(() => recordsOf(temp('shelf')).length === 1);
  expect(await onRemote(engine, 'last')).not.toBe('complete');
  last.open();
  expect((await last.ended).outcome).toBe('ran');
  expect(await pusher.flush()).toMatchObject({ remotes: ['shelf'], files: 2, error: null });
  expect(await onRemote(engine, 'last')).toBe('complete');
  expect(recordsOf(temp('shelf'))).toHaveLength(2);
  expect(await engine.push({ select: [] })).toMatchObject({ files: { sent: 0, reused: 2 } });
});

test('results from before are left to others', async () => {
  const engine = await workspace();
  await run(engine, 'first');
  const pusher = engine.pushWhileRunning({ everyMs: 10 });
  await run(engine, 'first');
  await sleep(50);
  expect(await pusher.flush()).toMatchObject({ remotes: [], stages: [], files: 0, objects: 0, bytes: 0, error: null });
});

test('what the lock only refers to is not pushed: it came from elsewhere', async () => {
  const engine = await workspace();
  await run(engine, 'first');
  expect(await engine.sendable({ select: [] })).toEqual(['p:first']);
  const lock = fs.readFileSync(temp('ws', 'p/sluice-lock.json'));
  for (const path of ['p/sluice-lock.json', '.sluice']) fs.rmSync(temp('ws', path), { recursive: true });
  const other = await open();
  const pusher = other.pushWhileRunning({ everyMs: 10 });
  fs.writeFileSync(temp('ws', 'p/sluice-lock.json'), lock);
  await sleep(50);
  expect(await pusher.flush()).toMatchObject({ stages: [], error: null });
  expect(await other.sendable({ select: [] })).toEqual([]);
});

test('a remote that does not answer is no matter of the run, and is told at the end', async () => {
  const engine = await workspace(temp('not', 'mounted'));
  const pusher = engine.pushWhileRunning({ everyMs: 10 });
  expect((await run(engine, 'first')).outcome).toBe('ran');
  const last = await begin(engine);
  last.open();
  expect((await last.ended).outcome).toBe('ran');
  expect(await pusher.flush()).toMatchObject({ files: 0, error: { code: 'ERR_REMOTE_DOWN' } });
});

test('a lock that cannot be read is passed over, and what it says later is pushed', async () => {
  const engine = await workspace();
  const pusher = engine.pushWhileRunning({ everyMs: 10 });
  write('p/sluice-lock.json', '<<<<<<< ours\n');
  await sleep(50);
  fs.rmSync(temp('ws', 'p/sluice-lock.json'));
  await run(engine, 'first');
  await until(async () => (await onRemote(engine, 'first')) === 'complete');
  expect(await pusher.flush()).toMatchObject({ error: null });
});

test('closing the engine ends it', async () => {
  const engine = await workspace();
  const pusher = engine.pushWhileRunning({ everyMs: 10 });
  await run(engine, 'first');
  await engine.close();
  await pusher.ended;
  const other = await open();
  await other.push({ select: [] });
  expect(await other.verifyRemote({ deep: true })).toMatchObject({ findings: [] });
});

test('offline it does nothing', async () => {
  await workspace();
  const engine = await openEngine({ root: temp('ws'), env: process.env, threads: 0, offline: true });
  opened.push(engine);
  const pusher = engine.pushWhileRunning({ everyMs: 10 });
  await run(engine, 'first');
  expect(await pusher.flush()).toMatchObject({ remotes: [], stages: [], files: 0, objects: 0, bytes: 0, error: null });
});
