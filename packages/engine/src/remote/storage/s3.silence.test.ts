import { setTimeout as sleep } from 'node:timers/promises';
import { BRIEF } from '../../testing/brief.js';
import { s3Options, useFaultProxy, useS3Server } from '../../testing/s3.js';
import { bodyOf, storageKey } from './port.js';
import { s3Storage } from './s3.js';

const { server, newBucket } = useS3Server();
const proxy = useFaultProxy(server);
const key = storageKey('shared/a');
const body = bodyOf(Buffer.from('bytes'));
const range = { offset: 0, length: 100 };
const down = expect.objectContaining({ code: 'ERR_REMOTE_DOWN' });
/** What the workspace uses. */
const limits = { quietMs: 1200, pingMs: 1200, stallMs: 30_000 };
const retry = { ...BRIEF, firstWaitMs: 100, longestWaitMs: 5000 };

async function msOf(call: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call();
  return performance.now() - startMs;
}

test('nobody at the address is down within three seconds', async () => {
  const { endpoint } = proxy();
  await proxy().stop();
  const storage = s3Storage(s3Options(endpoint, 'bucket', { limits, retry }));
  expect(await msOf(() => expect(storage.get(key, range)).rejects.toEqual(down))).toBeLessThan(3000);
});

test('no such host is down at once', async () => {
  const storage = s3Storage(s3Options('http://nowhere.invalid:9', 'bucket', { limits, retry }));
  expect(await msOf(() => expect(storage.stat(key)).rejects.toEqual(down))).toBeLessThan(3000);
});

test('a server that takes connections and says nothing is down within three seconds', async () => {
  proxy().state = 'stalled';
  const storage = s3Storage(s3Options(proxy().endpoint, 'bucket', { limits, retry }));
  const calls = () =>
    Promise.all(Array.from({ length: 20 }, () => expect(storage.get(key, range)).rejects.toEqual(down)));
  expect(await msOf(calls)).toBeLessThan(3000);
  expect(storage.requests).toMatchObject({ get: 20, head: 1 });
});

test('so is one that stops half way, also in the middle of a body', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket(), { limits, retry }));
  await storage.put(key, body);
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
  proxy().state = 'stalled';
  const large = bodyOf(Buffer.alloc(20_000_000));
  const calls = () =>
    Promise.all([
      expect(storage.get(key, range)).rejects.toEqual(down),
      expect(storage.put(key, large)).rejects.toEqual(down),
    ]);
  expect(await msOf(calls)).toBeLessThan(3000);
  proxy().state = 'up';
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
});

test('a slow answer is waited for while the server lives', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket(), { limits, retry }));
  await storage.put(key, body);
  proxy().inject(/^GET/, { kind: 'wait', ms: 4000 });
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
  expect(storage.requests.get).toBe(1);
});

test('a request that got stuck is sent again while the server lives', async () => {
  const storage = s3Storage(
    s3Options(proxy().endpoint, await newBucket(), { limits: { ...limits, stallMs: 1000 }, retry }),
  );
  await storage.put(key, body);
  proxy().inject(/^GET/, { kind: 'stall' });
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
  expect(storage.requests.get).toBe(2);
});

test('work that keeps the thread busy is not taken for silence', async () => {
  const storage = s3Storage(
    s3Options(proxy().endpoint, await newBucket(), { limits: { ...limits, quietMs: 300, pingMs: 300 }, retry }),
  );
  await storage.put(key, body);
  proxy().inject(/^GET/, { kind: 'wait', ms: 500 });
  const call = storage.get(key, range);
  await sleep(350);
  const untilMs = performance.now() + 1500;
  while (performance.now() < untilMs);
  expect((await call)?.toString()).toBe('bytes');
});
