import { dirname } from 'node:path';
import type { PullReport, PushReport, StatusReport, VerifyReport } from '@sluice/engine';
import { selfSigned, startTestProxy, startTlsFront } from '../packages/engine/src/testing/proxy.js';
import { useFaultProxy, useS3Server } from '../packages/engine/src/testing/s3.js';
import { patternBytes } from './harness/bytes.js';
import { pipelineWorkspace, takeRuns } from './harness/pipeline.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const { server, direct, newBucket } = useS3Server();
const proxy = useFaultProxy(server);

let w: Workspace;
afterEach(() => w?.delete());

/** The same workspace with the keys of the server, and a remote in a new bucket behind the proxy. */
async function withBucket(made: Workspace): Promise<{ readonly workspace: Workspace; readonly bucket: string }> {
  const workspace = made.with({ ...made.env, ...server().env });
  const bucket = await newBucket();
  await workspace.sluice('init');
  await workspace.sluice('remote', 'add', 'origin', `s3://${bucket}/team/data`, '--endpoint', proxy().endpoint);
  return { workspace, bucket };
}

async function keysOf(bucket: string): Promise<string[]> {
  return ((await direct().listObjectsV2({ Bucket: bucket })).Contents ?? []).map(({ Key: key = '' }) => key);
}

function requestsOf({ requests }: PushReport): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

story('data goes to a bucket and comes back, byte for byte, and a second push finds nothing to do', async () => {
  const raw = { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/datasets'] } };
  w = await createWorkspace({ 'p/project.json': { name: 'p', targets: { raw } } });
  const { workspace, bucket } = await withBucket(w);
  for (let i = 0; i < 50; i++) workspace.write({ [`p/datasets/small/${i}.bin`]: patternBytes(`small ${i}`, 300 + i) });
  workspace.write({ 'p/datasets/middle.bin': patternBytes('middle', 3_000_000) });
  workspace.write({ 'p/datasets/large.bin': patternBytes('large', 40_000_000) });
  await workspace.sluice('commit');
  await workspace.commitAll('Version 1');
  const before = workspace.hashes('p/datasets');
  expect(await keysOf(bucket)).toEqual([]);

  expect(await workspace.json<PushReport>('push')).toMatchObject({ files: { sent: 52, reused: 0 } });
  const keys = await keysOf(bucket);
  expect(keys.every((key) => /^team\/data\/(format|shared\/(packs|maps|blobs)\/.*)$/.test(key))).toBe(true);
  expect(keys.length).toBeLessThanOrEqual(6);

  const again = await workspace.json<PushReport>('push');
  expect(again).toMatchObject({ files: { sent: 0 }, bytes: { sent: 0 }, requests: { put: 0, list: 0 } });
  expect(requestsOf(again)).toBeLessThanOrEqual(3);
  expect(await keysOf(bucket)).toEqual(keys);

  workspace.remove('.sluice');
  workspace.remove('p/datasets');
  expect(await workspace.json<PullReport>('pull')).toMatchObject({ files: { received: 52 } });
  expect(workspace.hashes('p/datasets')).toEqual(before);
  expect(await workspace.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
  expect(await workspace.json<StatusReport>('status', '--remote')).toMatchObject({
    stages: [{ state: 'unchanged', outs: [{ remote: { origin: 'complete' } }] }],
  });
});

story('results that another workspace pushed are restored from the bucket', async () => {
  w = await pipelineWorkspace();
  const { workspace } = await withBucket(w);
  await workspace.nx('run', 'p:report');
  await workspace.commitAll('First results');
  await workspace.sluice('push');
  const clone = (await workspace.clone('clone')).with(workspace.env);
  clone.remove('p/sluice-lock.json');
  const output = await clone.nx('run', 'p:report');
  expect(takeRuns(clone)).toEqual([]);
  expect(output).toContain('from origin');
  expect(clone.sha256('p/report.txt')).toBe(workspace.sha256('p/report.txt'));
});

story('a bucket with TLS is reached through a proxy with TLS and a password, which nothing tells', async () => {
  w = await pipelineWorkspace();
  const own = selfSigned(dirname(w.root), 'localhost', 's3.company.invalid');
  const front = await startTlsFront(own, new URL(server().endpoint).host);
  const hosts = { 's3.company.invalid:443': `127.0.0.1:${front.port}` };
  const wants = `Basic ${Buffer.from('me:p@ss-word').toString('base64')}`;
  const through = await startTestProxy({ hosts, wants });
  const proxyFront = await startTlsFront(own, through.host);
  try {
    const by = (keys: string): Workspace =>
      w.with({
        ...w.env,
        ...server().env,
        HTTPS_PROXY: `https://${keys}@localhost:${proxyFront.port}`,
        NODE_EXTRA_CA_CERTS: own.certFile,
      });
    const workspace = by('me:p%40ss-word');
    const name = `https://localhost:${proxyFront.port} (HTTPS_PROXY)`;
    await workspace.sluice('init');
    const place = ['origin', `s3://${await newBucket()}/team/data`, '--endpoint', 'https://s3.company.invalid'];
    await workspace.sluice('remote', 'add', ...place);
    expect(await workspace.json('remote', 'ping')).toMatchObject({ remote: 'origin', proxy: name });
    expect(await workspace.sluice('remote', 'ping')).toContain(`through the proxy ${name}`);
    await workspace.nx('run', 'p:report');
    expect(await workspace.json<PushReport>('push')).toMatchObject({ files: { sent: 5 } });
    const report = workspace.sha256('p/report.txt');
    workspace.remove('.sluice');
    workspace.remove('p/report.txt');
    await workspace.sluice('pull');
    expect(workspace.sha256('p/report.txt')).toBe(report);
    expect(new Set(through.seen)).toEqual(new Set(['CONNECT s3.company.invalid:443']));
    expect(new Set(through.credentials)).toEqual(new Set([wants]));

    const refused = await by('me:wrong-one').try('sluice', 'push', '--verbose');
    expect(refused).toMatchObject({ code: 3, output: expect.stringContaining(name) });
    expect(refused.output).toContain('does not accept the credentials in HTTPS_PROXY (407)');
    const secrets = ['wrong-one', Buffer.from('me:wrong-one').toString('base64'), 'proxy-authorization'];
    for (const secret of secrets) expect(refused.output.toLowerCase()).not.toContain(secret.toLowerCase());
  } finally {
    proxyFront.stop();
    front.stop();
    await through.stop();
  }
});

for (const [name, breakDown] of [
  ['is gone', () => proxy().stop()],
  [
    'takes connections and says nothing',
    async () => {
      proxy().state = 'stalled';
    },
  ],
] as const) {
  story(`a bucket whose server ${name}: a pull fails soon, and a stage runs with one warning`, async () => {
    w = await pipelineWorkspace();
    const { workspace } = await withBucket(w);
    await workspace.nx('run', 'p:report');
    await workspace.commitAll('First results');
    await workspace.sluice('push');
    const clone = (await workspace.clone('clone')).with(workspace.env);
    await breakDown();

    const startedMs = performance.now();
    expect((await clone.failure(3, 'pull')).code).toBe('ERR_REMOTE_DOWN');
    expect(performance.now() - startedMs).toBeLessThan(5000);

    clone.write({ 'p/in.txt': 'something else\n' });
    const output = await clone.nx('run', 'p:upper');
    expect(takeRuns(clone)).toEqual(['upper']);
    expect(output.match(/warning: .*remote origin is down/g)).toHaveLength(1);
  });
}

/** A clone that knows nothing but the bucket, which has the results of all three stages. */
async function cloneOfResults(): Promise<Workspace> {
  w = await pipelineWorkspace();
  const { workspace } = await withBucket(w);
  await workspace.nx('run', 'p:report');
  await workspace.commitAll('First results');
  await workspace.sluice('push');
  return (await workspace.clone('clone')).with(workspace.env);
}

const DOWN = /warning: .*remote origin is down/g;

story(
  'a server that goes down half-way: what cannot be restored runs, and the tasks of a command say it once',
  async () => {
    const clone = await cloneOfResults();
    clone.remove('p/sluice-lock.json');
    proxy().inject(/GET .*\/packs\//, { kind: 'down' });
    const first = await clone.nx('run', 'p:upper');
    expect(first).toContain('restoring');
    expect(first).toContain('running: its data cannot be had');
    expect(takeRuns(clone)).toEqual(['upper']);
    expect(first.match(DOWN)).toHaveLength(1);
    const second = await clone.nx('run', 'p:report');
    expect(takeRuns(clone)).toEqual(['count', 'report']);
    expect(second.match(DOWN)).toHaveLength(1);
    expect(await clone.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });

    // Whoever is strict wants to know, although everything is here and a pull has nothing to do.
    expect((await clone.run('sluice', 'pull')).stderr.match(DOWN)).toHaveLength(1);
    expect((await clone.failure(3, 'pull', '--strict')).code).toBe('ERR_REMOTE_DOWN');
    expect((await clone.failure(3, 'push')).code).toBe('ERR_REMOTE_DOWN');
    clone.write({ 'p/in.txt': 'something else\n' });
    const strict = await clone.with({ ...clone.env, SLUICE_STRICT: '1' }).try('nx', 'run', 'p:upper');
    expect([strict.code, strict.output]).toEqual([1, expect.stringContaining('ERR_REMOTE_DOWN')]);
    expect(takeRuns(clone)).toEqual(['upper']);
    expect(await clone.json<StatusReport>('status', 'p:upper')).toMatchObject({ stages: [{ state: 'unchanged' }] });
  },
);

story(
  'data that only a server has which is down: the stage that needs it fails with its name, and --strict tells what is reference-only',
  async () => {
    const clone = await cloneOfResults();
    expect((await clone.failure(4, 'checkout', '--strict')).code).toBe('ERR_NOT_LOCAL');
    await clone.sluice('checkout');
    proxy().state = 'stalled';
    // The report has to run, and reads what count made.
    clone.write({ 'p/params.yaml': clone.read('p/params.yaml').replace('none', 'some') });
    const failed = await clone.try('nx', 'run', 'p:report', '--excludeTaskDependencies');
    expect([failed.code, failed.output]).toEqual([
      1,
      expect.stringMatching(/ERR_REMOTE_DOWN: sha256:\w+ is needed and not in the store/),
    ]);
    expect(takeRuns(clone)).toEqual([]);
  },
);
