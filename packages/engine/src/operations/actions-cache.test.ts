import { createCipheriv, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { type Rights, useCacheServer } from '../testing/actions-cache.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
/** Equal in all jobs, and not to be compressed. */
const NOISE = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(30_000));
const LARGE_BYTES = 9 * 1024 * 1024;
const open = new Set<Engine>();
afterEach(async () => {
  for (const engine of open) await engine.close();
  open.clear();
});

/** A job: a fresh clone of the workspace with an empty store, and the cache as its only remote. */
interface Job {
  readonly engine: Engine;
  readonly events: SluiceEvent[];
  readonly at: (path: string) => string;
  readonly warnings: () => string[];
}

describe.each([
  ['version 2', { protocol: 'v2' as const }, 20, { push: 9, restore: 23, nothing: 3 }],
  // It has to be asked whether the newest is the newest, and twice whose index counts.
  ['version 1', { protocol: 'v1' as const }, 4, { push: 14, restore: 8, nothing: 4 }],
])('the Actions cache as the only remote, %s', (_, options, stageCount, counts) => {
  const server = useCacheServer(options);
  let jobs = 0;

  const startJob = async (locksOf?: Job, rights?: Rights, stages = stageCount): Promise<Job> => {
    const root = temp(`job-${jobs++}`);
    const at = (path: string): string => `${root}/${path}`;
    const write = (path: string, content: string): void => {
      fs.mkdirSync(dirname(at(path)), { recursive: true });
      fs.writeFileSync(at(path), content);
    };
    write('nx.json', '{}');
    fs.writeFileSync(at('noise'), NOISE);
    write('sluice.json', JSON.stringify({ remotes: { cache: { url: 'actions-cache:' } }, defaultRemote: 'cache' }));
    for (let i = 0; i < stages; i++) {
      const command = `mkdir out && for n in 1 2 3; do tail -c +${i}$n ../../noise | head -c 20000 > out/$n; done && echo ran >> ../../ran`;
      const target = { executor: '@sluice/nx:stage', options: { command, outs: ['{projectRoot}/out'] } };
      write(`p/${i}/project.json`, JSON.stringify({ name: `p${i}`, targets: { make: target } }));
      const lock = locksOf?.at(`p/${i}/sluice-lock.json`);
      if (lock !== undefined && fs.existsSync(lock)) fs.copyFileSync(lock, at(`p/${i}/sluice-lock.json`));
    }
    const events: SluiceEvent[] = [];
    const env = { ...process.env, ...server().env(rights) };
    const engine = await openEngine({ root, env, threads: 0, readOnce: true, emit: (event) => events.push(event) });
    open.add(engine);
    const warnings = (): string[] => events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
    return { engine, events, at, warnings };
  };
  const runAll = async ({ engine }: Job, stages = stageCount): Promise<Record<string, number>> => {
    const outcomes: Record<string, number> = {};
    for (let i = 0; i < stages; i++) {
      const id = { project: `p${i}`, target: 'make' };
      const { outcome } = await engine.runStage({ id }, { force: false, wait: true, materialize: true });
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    return outcomes;
  };
  const runsOf = (job: Job): number =>
    fs.existsSync(job.at('ran')) ? fs.readFileSync(job.at('ran'), 'utf8').split('\n').length - 1 : 0;

  test('what one job made another one restores, without a lock between them, and it runs nothing', async () => {
    const first = await startJob();
    expect(await runAll(first)).toEqual({ ran: stageCount });
    const pushed = await first.engine.push({ select: [] });
    expect(pushed).toMatchObject({ files: { sent: 3 * stageCount }, remote: 'cache' });
    expect(server().seen.length).toBe(counts.push);
    expect(server().entries().length).toBe(2);
    server().seen.length = 0;
    const second = await startJob();
    expect(await runAll(second)).toEqual({ restored: stageCount });
    expect(runsOf(second)).toBe(0);
    expect(fs.readFileSync(second.at('p/3/out/2')).equals(fs.readFileSync(first.at('p/3/out/2')))).toBe(true);
    // The index, one look-up of the data, and one range for each stage.
    expect(server().seen.length).toBe(counts.restore);
  });

  test('where nothing changed, all stages are decided and pushed with a handful of requests and no data', async () => {
    const first = await startJob();
    await runAll(first);
    await first.engine.push({ select: [] });
    const entries = server().entries().length;
    server().seen.length = 0;
    const second = await startJob(first);
    for (let i = 0; i < stageCount; i++) {
      const id = { project: `p${i}`, target: 'make' };
      const result = await second.engine.runStage({ id }, { force: false, wait: true, materialize: false });
      expect(result.outcome).toBe('unchanged');
    }
    const pushed = await second.engine.push({ select: [] });
    expect(pushed).toMatchObject({ files: { sent: 0 }, bytes: { sent: 0 } });
    expect(server().seen.length).toBe(counts.nothing);
    expect(server().entries().length).toBe(entries);
  });

  test('of two jobs that push at the same moment a third restores everything', async () => {
    const [left, right] = await Promise.all([startJob(), startJob()]);
    const half = async ({ engine }: Job, from: number): Promise<void> => {
      for (let i = from; i < stageCount; i += 2) {
        await engine.runStage(
          { id: { project: `p${i}`, target: 'make' } },
          { force: false, wait: true, materialize: true },
        );
      }
    };
    await Promise.all([half(left, 0), half(right, 1)]);
    await Promise.all([left.engine.push({ select: [] }), right.engine.push({ select: [] })]);
    const third = await startJob();
    expect(await runAll(third)).toEqual({ restored: stageCount });
  });

  test('data that was evicted is made again, and pushed again although its maps are still there', async () => {
    const first = await startJob(undefined, undefined, 3);
    await runAll(first, 3);
    await first.engine.push({ select: [] });
    expect(server().evict(/-d-/)).toBe(1);
    const second = await startJob(undefined, undefined, 3);
    expect(await runAll(second, 3)).toEqual({ ran: 3 });
    expect(await second.engine.push({ select: [] })).toMatchObject({ files: { sent: 9 } });
    const third = await startJob(undefined, undefined, 3);
    expect(await runAll(third, 3)).toEqual({ restored: 3 });
  });

  test('data that is evicted between the decision and the download is made again', async () => {
    const first = await startJob(undefined, undefined, 2);
    await runAll(first, 2);
    await first.engine.push({ select: [] });
    const second = await startJob(undefined, undefined, 2);
    server().inject(/^GET \/blobs/, { kind: 'run', run: () => {} });
    server().inject(/^GET \/blobs/, { kind: 'run', run: () => void server().evict(/-d-/) });
    expect(await runAll(second, 2)).toEqual({ ran: 2 });
  });

  test('a job that may not write says so, and the run is not the worse for it', async () => {
    const readers: Rights = [{ scope: 'refs/heads/main', permission: 1 }];
    const job = await startJob(undefined, readers, 2);
    expect(await runAll(job, 2)).toEqual({ ran: 2 });
    await expect(job.engine.push({ select: [] })).rejects.toMatchObject({ code: 'ERR_REMOTE_READ_ONLY', exitCode: 3 });
    expect(server().entries()).toEqual([]);
    expect(job.warnings()).toEqual([]);
  });

  test('a cache that does not answer makes a run slower, and is told once', async () => {
    const job = await startJob(undefined, undefined, 3);
    server().inject(/./, { kind: 'status', status: 503 }, 4);
    expect(await runAll(job, 3)).toEqual({ ran: 3 });
    expect(job.warnings().filter((text) => text.includes('is down'))).toHaveLength(1);
  });

  test('a job that pushes each stage as it ends makes few entries, and all is seen when it ends', async () => {
    const first = await startJob(undefined, undefined, 3);
    for (let i = 0; i < 3; i++) {
      const id = { project: `p${i}`, target: 'make' };
      await first.engine.runStage({ id }, { force: false, wait: true, materialize: true });
      await first.engine.push({ select: [`p${i}:make`] });
    }
    expect(server().entries().length).toBe(2);
    expect(await runAll(await startJob(undefined, undefined, 3), 3)).toEqual({ restored: 1, ran: 2 });
    await first.engine.close();
    open.delete(first.engine);
    expect(server().entries().length).toBe(4);
    expect(await runAll(await startJob(undefined, undefined, 3), 3)).toEqual({ restored: 3 });
    expect(first.warnings()).toEqual([]);
  });

  test('what cannot be sent at the end is told', async () => {
    const job = await startJob();
    await runAll(job);
    await job.engine.push({ select: ['p0:make'] });
    await job.engine.push({ select: [] });
    server().inject(/^P/, {
      kind: 'status',
      status: 403,
      body: { msg: 'cache write denied: over', message: 'cache write denied: over' },
    });
    open.delete(job.engine);
    await job.engine.close();
    expect(job.warnings()).toEqual([expect.stringContaining('others do not see all that was pushed')]);
  });

  /** A job whose workspace has one dataset. */
  const startData = async (): Promise<Job> => {
    const job = await startJob(undefined, undefined, 0);
    const track = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };
    fs.mkdirSync(job.at('d/data'), { recursive: true });
    fs.writeFileSync(job.at('d/project.json'), JSON.stringify({ name: 'd', targets: { data: track } }));
    return job;
  };
  const reopen = async (job: Job): Promise<Engine> => {
    const engine = await openEngine({ root: job.at('.'), env: { ...process.env, ...server().env() }, threads: 0 });
    open.add(engine);
    return engine;
  };

  test('what lies there is no copy that a collection counts', async () => {
    const job = await startData();
    const engine = await reopen(job);
    for (const text of ['one', 'two']) {
      fs.writeFileSync(job.at('d/data/file'), text);
      await engine.commit({ select: [] });
      await engine.push({ select: [] });
    }
    expect(await engine.gc({})).toMatchObject({ removed: { blobs: 0 } });
    expect(await engine.gc({ allowUnpushed: true })).toMatchObject({ removed: { blobs: 1 } });
  });

  test('a large file goes there and back', async () => {
    const job = await startData();
    const bytes = randomBytes(LARGE_BYTES);
    fs.writeFileSync(job.at('d/data/large'), bytes);
    fs.writeFileSync(job.at('d/data/small'), 'small');
    const again = await reopen(job);
    await again.commit({ select: [] });
    expect(await again.push({ select: [] })).toMatchObject({ files: { sent: 2 } });
    fs.rmSync(job.at('.sluice'), { recursive: true });
    fs.rmSync(job.at('d/data'), { recursive: true });
    await again.close();
    const third = await reopen(job);
    await third.pull({ select: [] });
    expect(fs.readFileSync(job.at('d/data/large')).equals(bytes)).toBe(true);
    expect(await third.status({ select: [], remotes: ['cache'] })).toMatchObject({
      stages: [{ outs: [{ remote: { cache: 'complete' } }] }],
    });
  });
});

test('outside of Actions, and in a step without a token, it is told what is missing, and a run goes on', async () => {
  const root = temp('ws');
  fs.mkdirSync(`${root}/p`, { recursive: true });
  fs.writeFileSync(`${root}/nx.json`, '{}');
  const options = { command: 'echo 1 > out', outs: ['{projectRoot}/out'] };
  fs.writeFileSync(
    `${root}/p/project.json`,
    JSON.stringify({ name: 'p', targets: { make: { executor: '@sluice/nx:stage', options } } }),
  );
  fs.writeFileSync(
    `${root}/sluice.json`,
    JSON.stringify({ remotes: { cache: { url: 'actions-cache:' } }, defaultRemote: 'cache' }),
  );
  const warnings: string[] = [];
  const start = async (env: Record<string, string>): Promise<Engine> => {
    const emit = (event: SluiceEvent): void => void (event.type === 'warning' && warnings.push(event.message));
    const engine = await openEngine({ root, env: { PATH: process.env.PATH, ...env }, threads: 0, emit });
    open.add(engine);
    return engine;
  };
  const laptop = await start({});
  await expect(laptop.pingRemote('cache')).rejects.toMatchObject({
    code: 'ERR_REMOTE_DOWN',
    message: expect.stringContaining('no job of GitHub Actions'),
    hint: expect.stringContaining('SLUICE_REMOTE'),
  });
  const id = { project: 'p', target: 'make' };
  expect(await laptop.runStage({ id }, { force: false, wait: true, materialize: true })).toMatchObject({
    outcome: 'ran',
  });
  expect(warnings).toEqual([expect.stringContaining('remote cache is down')]);
  await expect((await start({ GITHUB_ACTIONS: 'true' })).pingRemote('cache')).rejects.toMatchObject({
    code: 'ERR_REMOTE_DOWN',
    message: expect.stringContaining('`run:` step'),
    hint: expect.stringContaining('uses:'),
  });
  const odd = await start({ ACTIONS_RUNTIME_TOKEN: 'x', ACTIONS_CACHE_URL: 'not a url' });
  await expect(odd.pingRemote('cache')).rejects.toMatchObject({ code: 'ERR_CONFIG' });
});
