import { writeFileSync } from 'node:fs';
import { BRIEF } from '../../testing/brief.js';
import { startTestProxy, type TestProxy, type TestProxyOptions } from '../../testing/proxy.js';
import { s3Options, useS3Server } from '../../testing/s3.js';
import { useTempDir } from '../../testing/temp-dir.js';
import { bodyOf, type Storage, storageKey } from './port.js';
import { readProxies } from './proxy/proxies.js';
import { s3Storage } from './s3.js';
import { socketsFor } from './s3-sockets.js';
import { storageContract } from './storage.suite.js';

const { server, newBucket } = useS3Server();
const temp = useTempDir();
const key = storageKey('shared/a');
const range = { offset: 0, length: 100 };
/** A name that no system knows but the proxy. */
const ENDPOINT = 'http://s3.company.invalid:8080';
const SECRET = 'p@ss-word';
const limits = { quietMs: 1200, pingMs: 1200, stallMs: 30_000 };
let proxy: TestProxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

async function startProxy(options: Partial<TestProxyOptions> = {}): Promise<TestProxy> {
  proxy = await startTestProxy({
    hosts: { 's3.company.invalid:8080': new URL(server().endpoint).host },
    ...options,
  });
  return proxy;
}

function open(bucket: string, env: Record<string, string>, endpoint: string = ENDPOINT): Storage {
  return s3Storage(
    s3Options(endpoint, bucket, { access: { endpoint, proxies: readProxies(env) }, limits, retry: BRIEF }),
  );
}

/** What is thrown, as text, with everything that can be seen of it. */
async function failureOf(run: () => Promise<unknown>): Promise<{ readonly code: unknown; readonly text: string }> {
  const error: unknown = await run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('nothing was thrown');
  const { code, hint } = error as { readonly code?: unknown; readonly hint?: unknown };
  return { code, text: `${error.message} | ${hint} | ${error.cause} | ${JSON.stringify(error)}` };
}

storageContract('s3 through a proxy', async () => {
  const own = await startTestProxy({ hosts: { 's3.company.invalid:8080': new URL(server().endpoint).host } });
  const storage = open(await newBucket(), { http_proxy: `http://${own.host}` });
  return { storage, cleanUp: () => own.stop() };
});

test('requests go through the proxy with its credentials, over few connections, and the server gets neither', async () => {
  const wants = `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`;
  const { host, seen, credentials, connections } = await startProxy({ wants });
  const storage = open(await newBucket(), { HTTP_PROXY: `http://me:${encodeURIComponent(SECRET)}@${host}` });
  await storage.put(key, bodyOf(Buffer.alloc(3_000_000, 'x')));
  for (let i = 0; i < 20; i++) expect(await storage.stat(key)).toEqual({ bytes: 3_000_000 });
  expect(connections()).toBeLessThan(4);
  await Promise.all(Array.from({ length: 300 }, () => storage.get(key, range)));
  expect(connections()).toBeLessThanOrEqual(socketsFor(16));
  expect(seen.length).toBeGreaterThanOrEqual(321);
  for (const line of seen) expect(line).toMatch(/^(?:PUT|HEAD|GET) http:\/\/s3\.company\.invalid:8080\/sluice-/);
  expect(new Set(credentials)).toEqual(new Set([wants]));
});

test('hosts that are excepted, and this machine, are asked straight', async () => {
  const { host, seen } = await startProxy();
  const { endpoint } = server();
  const bucket = await newBucket();
  const near = open(bucket, { ALL_PROXY: `http://${host}` }, endpoint);
  await near.put(key, bodyOf(Buffer.from('bytes')));
  expect((await near.get(key, range))?.toString()).toBe('bytes');
  const excepted = open(bucket, { ALL_PROXY: `http://${host}`, NO_PROXY: '.company.invalid' });
  expect(await failureOf(() => excepted.stat(key))).toMatchObject({
    code: 'ERR_REMOTE_DOWN',
    text: expect.stringMatching(/ENOTFOUND.* \| Check the endpoint and the network\./),
  });
  expect(seen).toEqual([]);
});

test('a proxy that is down is named, and its password is not', async () => {
  const { host, stop } = await startProxy();
  await stop();
  proxy = undefined;
  const storage = open('bucket', { HTTP_PROXY: `http://me:${encodeURIComponent(SECRET)}@${host}` });
  const { code, text } = await failureOf(() => storage.get(key, range));
  expect(code).toBe('ERR_REMOTE_DOWN');
  expect(text).toContain(`the proxy http://${host} (HTTP_PROXY) does not answer (ECONNREFUSED)`);
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(encodeURIComponent(SECRET));
});

test('a proxy whose name nobody knows is down at once', async () => {
  const storage = open('bucket', { HTTP_PROXY: 'http://proxy.company.invalid:3128' });
  expect(await failureOf(() => storage.stat(key))).toMatchObject({
    code: 'ERR_REMOTE_DOWN',
    text: expect.stringContaining(
      'the proxy http://proxy.company.invalid:3128 (HTTP_PROXY) does not answer (ENOTFOUND)',
    ),
  });
});

test('a proxy that says nothing is down within three seconds, and named in what to check', async () => {
  const { host } = await startProxy({ answers: 'nothing' });
  const storage = open('bucket', { HTTP_PROXY: host });
  const startMs = performance.now();
  const { code, text } = await failureOf(() => storage.get(key, range));
  expect(performance.now() - startMs).toBeLessThan(3500);
  expect(code).toBe('ERR_REMOTE_DOWN');
  expect(text).toContain(`and the proxy on the way there: http://${host} (HTTP_PROXY).`);
});

test.each([
  [{ wants: 'Basic x' }, '', 'ERR_REMOTE_DENIED', 'wants credentials (407)'],
  [{ wants: 'Basic x' }, `me:${SECRET}@`, 'ERR_REMOTE_DENIED', 'does not accept the credentials in HTTP_PROXY (407)'],
  [{ answers: 403 }, '', 'ERR_REMOTE_DENIED', 'may have answered instead'],
  [{ answers: 503 }, '', 'ERR_REMOTE_DOWN', 'and the proxy on the way there'],
  [{ answers: 404 }, '', 'ERR_REMOTE_DENIED', 'or the proxy on the way'],
] as const)('a proxy that refuses by %j is named', async (options, keys, code, words) => {
  const { host } = await startProxy(options);
  const storage = open('bucket', { HTTP_PROXY: `http://${keys}${host}` });
  const failure = await failureOf(() => storage.put(key, bodyOf(Buffer.from('bytes'))));
  expect(failure).toMatchObject({ code, text: expect.stringContaining(words) });
  expect(failure.text).toContain(`http://${host} (HTTP_PROXY)`);
  expect(failure.text).not.toContain(SECRET);
});

test('keys for a web identity are asked for through it too', async () => {
  const { host, seen } = await startProxy();
  const changes = { AWS_WEB_IDENTITY_TOKEN_FILE: temp('token'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/r' };
  writeFileSync(temp('token'), 'token');
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...others } = process.env;
  const before = process.env;
  process.env = { ...others, ...changes };
  try {
    const endpoint = 'https://s3.company.invalid';
    const access = { endpoint, region: 'eu-central-1', proxies: readProxies({ HTTPS_PROXY: host }) };
    const failure = await failureOf(() => s3Storage(s3Options(endpoint, 'bucket', { access })).stat(key));
    expect(failure).toMatchObject({
      code: 'ERR_REMOTE_DOWN',
      text: expect.stringMatching(/^the proxy .* does not reach sts[.a-z0-9-]*\.amazonaws\.com:443 \(502\)/),
    });
  } finally {
    process.env = before;
  }
  expect(new Set(seen.map((line) => line.replace(/sts\..*amazonaws/, 'sts.amazonaws')))).toEqual(
    new Set(['CONNECT sts.amazonaws.com:443']),
  );
});

test('a variable that names no proxy stops what would need one, and nothing else', async () => {
  const env = { HTTP_PROXY: `socks5://me:${SECRET}@p:1080` };
  const failure = await failureOf(() => open('bucket', env).stat(key));
  expect(failure.code).toBe('ERR_CONFIG');
  expect(failure.text).not.toContain(SECRET);
  const near = open(await newBucket(), env, server().endpoint);
  expect(await near.stat(key)).toBeUndefined();
});
