import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { useFaultProxy, useS3Server } from '../packages/engine/src/testing/s3.js';
import { beginJob } from './harness/action.js';
import { PIPELINE, pipelineProject, pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import type { Workspace } from './harness/workspace.js';

const { server, direct, newBucket } = useS3Server();
const proxy = useFaultProxy(server);

/** Jobs that are cancelled and killed, as a runner does it: SIGINT, 7.5 s later SIGTERM, killed 2.5 s after that. */
let workspace: Workspace;
let remote: string;

beforeEach(async () => {
  workspace = await pipelineWorkspace();
  remote = join(dirname(workspace.root), 'remote');
  mkdirSync(remote);
  workspace.write({ 'sluice.json': { defaultRemote: 'main', remotes: { main: { url: `file:${remote}` } } } });
  await workspace.commitAll('Configure a remote');
});
afterEach(() => workspace.delete());

const SLOW = { command: `${PIPELINE.count.command}; touch ../reached; while [ ! -e ../open ]; do sleep 0.1; done` };

for (const signals of [['SIGINT'], ['SIGINT', 'SIGTERM']] as const)
  story(`a job that gets ${signals.join(' and ')} ends in time, and the next attempt goes on where it was`, () =>
    cancel(signals),
  );

async function cancel(signals: readonly NodeJS.Signals[]): Promise<void> {
  workspace.write(pipelineProject({ count: SLOW }));
  const job = beginJob(workspace);
  const main = job.start('main');
  await until(() => workspace.exists('reached'));
  const stoppedAt = Date.now();
  for (const signal of signals) {
    main.child.kill(signal);
    await setTimeout(300);
  }
  const ended = job.read(await main.ended);
  expect(ended.code).not.toBe(0);
  expect(Date.now() - stoppedAt).toBeLessThan(7500);
  expect(workspace.exists('p/counted')).toBe(false);
  expect(await job.run('post')).toMatchObject({ code: 0 });
  expect(takeRuns(workspace)).toEqual(['upper', 'count']);

  const clone = await workspace.clone('clone');
  clone.write(pipelineProject({ count: SLOW }));
  clone.write({ open: '' });
  const again = await beginJob(clone).run('main');
  expect(again).toMatchObject({ code: 0, outputs: { 'stages-ran': '2', 'stages-restored': '1' } });
  expect(takeRuns(clone)).toEqual(['count', 'report']);
}

/** Heeds neither signal. */
const STUBBORN = { command: `trap '' INT TERM; echo $$ > ../pid; touch ../reached; while :; do sleep 0.1; done` };

story('a stage that heeds no signal is ended before the runner kills the step, and holds nothing then', async () => {
  workspace.write(pipelineProject({ count: STUBBORN }));
  const job = beginJob(workspace);
  const main = job.start('main');
  await until(() => workspace.exists('reached'));
  const stoppedAt = Date.now();
  main.child.kill('SIGINT');
  const isOver = new AbortController();
  setTimeout(7500, undefined, { signal: isOver.signal })
    .then(() => main.child.kill('SIGTERM'))
    .catch(() => undefined);
  const ended = job.read(await main.ended);
  isOver.abort();
  expect(Date.now() - stoppedAt).toBeLessThan(10_000);
  expect(ended).toMatchObject({ code: 1, signal: null, outputs: { 'stages-ran': '1' } });
  const pid = Number(workspace.read('pid'));
  await until(() => !isAlive(pid));
  expect(isAlive(pid)).toBe(false);
  expect(await job.run('post')).toMatchObject({ code: 0 });

  workspace.write(pipelineProject());
  const again = await beginJob(workspace).run('main');
  expect(again).toMatchObject({ code: 0, outputs: { 'stages-ran': '2', 'stages-unchanged': '1' } });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const BULK_FILES = 40;
const BULK_BYTES = BULK_FILES * 50_000;
const DIGEST_BYTES = 32;
const BULK = {
  command: `${PIPELINE.upper.command} && mkdir bulk && for i in $(seq ${BULK_FILES}); do head -c 50000 /dev/urandom > bulk/$i; done`,
  outs: [...PIPELINE.upper.outs, '{projectRoot}/bulk'],
};

story('whatever is killed, nothing is lost, nothing is sent twice, and the next attempt goes on', async () => {
  const bucket = await newBucket();
  const project = pipelineProject({ upper: BULK, count: SLOW });
  const url = `s3://${bucket}/data`;
  workspace = workspace.with({ ...workspace.env, ...server().env });
  workspace.write({
    ...project,
    'sluice.json': { defaultRemote: 'main', remotes: { main: { url, endpoint: proxy().endpoint } } },
  });
  await workspace.commitAll('Use a bucket');
  const job = beginJob(workspace);
  const main = job.start('main');
  // What has arrived is known from here on, whatever ends.
  await until(() => workspace.exists('reached') && notedBytes() > BULK_FILES * DIGEST_BYTES);
  main.child.kill('SIGKILL');
  await main.ended;
  // What Nx was doing ends as it may: GitHub ends what a killed step left behind.
  workspace.write({ open: '' });
  await until(() => workspace.exists('p/sluice-lock.json') && workspace.read('p/sluice-lock.json').includes('"count"'));
  const post = job.start('post');
  await post.printed('').catch(() => undefined);
  post.child.kill('SIGKILL');
  await post.ended;

  const again = await beginJob(workspace).run('main');
  expect(again).toMatchObject({ code: 0, outputs: { 'stages-failed': '0' } });
  expect(await workspace.sluice('verify', '--remote')).toContain('nothing is wrong');
  // Bytes that cannot be made smaller, once, and what is said of them.
  const stored = (await direct().listObjectsV2({ Bucket: bucket })).Contents ?? [];
  const sizes = stored.filter(({ Key: key = '' }) => key.includes('/packs/')).map(({ Size: size = 0 }) => size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThanOrEqual(BULK_BYTES);
  expect(bytes).toBeLessThan(BULK_BYTES * 1.05);

  const clone = await workspace.clone('clone');
  const restored = await beginJob(clone).run('main');
  expect(restored).toMatchObject({ code: 0, outputs: { 'stages-ran': '0' } });
});

/** Of the notes on what a remote has; there is a digest in them for each object. */
function notedBytes(): number {
  const index = workspace.path('.sluice/index');
  const notes = existsSync(index) ? readdirSync(index).filter((name) => name.startsWith('have-')) : [];
  return notes.reduce((sum, name) => sum + statSync(join(index, name)).size, 0);
}

async function until(condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition() && waitedMs < 60_000; waitedMs += 50) await setTimeout(50);
}
