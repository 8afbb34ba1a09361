import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../../../../../scripts/s3/fault-proxy.mjs';
import { BRIEF } from '../../testing/brief.js';
import { s3Options, useFaultProxy, useS3Server } from '../../testing/s3.js';
import { bodyOf, storageKey } from './port.js';
import { s3Storage } from './s3.js';
import { storageContract } from './storage.suite.js';

const { server, newBucket } = useS3Server();
const key = storageKey('shared/packs/a.pack');
const range = { offset: 0, length: 1_000_000 };
const down = expect.objectContaining({ code: 'ERR_REMOTE_DOWN' });

storageContract('s3 behind a bad network', async () => {
  const proxy = await startFaultProxy(server().endpoint);
  const bucket = await newBucket();
  proxy.latencyMs = 5;
  for (const method of [/^GET/, /^PUT/, /^HEAD/, /^DELETE/]) {
    proxy.inject(method, { kind: 'reset', when: 'before' });
    proxy.inject(method, { kind: 'status', status: 503, code: 'SlowDown', headers: { 'retry-after': '0' } });
    proxy.inject(method, { kind: 'status', status: 500, code: 'InternalError' });
    proxy.inject(method, { kind: 'wait', ms: 50 });
  }
  proxy.inject(/^GET/, { kind: 'reset', when: 'half' });
  return { storage: s3Storage(s3Options(proxy.endpoint, bucket)), cleanUp: () => proxy.stop() };
});

const proxy = useFaultProxy(server);

test.each([
  ['is cut off', { kind: 'reset', when: 'half' }],
  ['is well-formed and too short', { kind: 'short' }],
  ['never came', { kind: 'reset', when: 'after' }],
] as const)('an answer that %s is asked for again', async (_, fault) => {
  const bytes = Buffer.alloc(300_000, 'sluice');
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  await storage.put(key, bodyOf(bytes));
  proxy().inject(/^GET .*a\.pack/, fault, 2);
  expect((await storage.get(key, range))?.equals(bytes)).toBe(true);
  expect(storage.requests.get).toBe(3);
});

test('bytes that change on their way are refused by the server and sent again', async () => {
  const bytes = Buffer.alloc(300_000, 'sluice');
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^PUT .*a\.pack/, { kind: 'flip', of: 'request' });
  await storage.put(key, bodyOf(bytes.subarray(0, 100_000), bytes.subarray(100_000)));
  expect(storage.requests.put).toBe(2);
  expect((await storage.get(key, range))?.equals(bytes)).toBe(true);
});

test('a put whose answer was lost is sent again, and its object is there', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^PUT .*a\.pack/, { kind: 'reset', when: 'after' });
  expect(await storage.put(key, bodyOf(Buffer.from('bytes')))).toBe('stored');
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
});

test('who is told when to come back does not come before', async () => {
  const waits: number[] = [];
  const retry = {
    ...BRIEF,
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  };
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket(), { retry }));
  const slowDown = { kind: 'status', status: 503, code: 'SlowDown' } as const;
  proxy().inject(/^PUT/, { ...slowDown, headers: { 'retry-after': '2' } });
  const date = 'Sat, 21 Nov 2026 10:00:00 GMT';
  proxy().inject(/^PUT/, { ...slowDown, headers: { 'retry-after': 'Sat, 21 Nov 2026 10:00:03 GMT', date } });
  proxy().inject(/^PUT/, slowDown);
  proxy().inject(/^PUT/, { kind: 'status', status: 500, code: 'InternalError' });
  await storage.put(key, bodyOf(Buffer.from('bytes')));
  expect(waits.map((ms) => Math.floor(ms / 100) / 10)).toEqual([2, 3, 1, 0]);
});

test('who is to come back in an hour is told that the remote is down', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^GET/, { kind: 'status', status: 503, code: 'SlowDown', headers: { 'retry-after': '3600' } });
  await expect(storage.get(key, range)).rejects.toEqual(down);
  expect(storage.requests.get).toBe(1);
});

test('a server that fails each time is down after as many tries as allowed', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^GET/, { kind: 'status', status: 500, code: 'InternalError' }, BRIEF.attempts);
  await expect(storage.get(key, range)).rejects.toEqual(down);
});

test('an interruption ends a call that waits, and one that is between two tries', async () => {
  const storage = s3Storage(
    s3Options(proxy().endpoint, await newBucket(), { retry: { ...BRIEF, firstWaitMs: 60_000, longestWaitMs: 60_000 } }),
  );
  const interrupted = expect.objectContaining({ code: 'ERR_INTERRUPTED' });
  for (const fault of [{ kind: 'stall' }, { kind: 'status', status: 500, code: 'InternalError' }] as const) {
    proxy().inject(/^GET/, fault);
    const controller = new AbortController();
    const call = storage.get(key, range, { signal: controller.signal });
    await sleep(200);
    controller.abort();
    await expect(call).rejects.toEqual(interrupted);
  }
});

test('connections are used again, and no body waits for a word', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  const bytes = Buffer.alloc(4 * 1024 * 1024, 1);
  for (let i = 0; i < 8; i++) await storage.put(key, bodyOf(bytes));
  for (let i = 0; i < 8; i++) await storage.get(key, { offset: i, length: 100_000 });
  expect(proxy().connections).toBe(1);
  expect(proxy().seen.filter((line) => line.includes('expect'))).toEqual([]);
});

test('no more connections are open than calls are allowed', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket(), { concurrency: 2 }));
  proxy().latencyMs = 20;
  await Promise.all(Array.from({ length: 40 }, () => storage.get(key, range)));
  expect(proxy().connections).toBeLessThanOrEqual(10);
});
