import { SluiceError } from '../../errors.js';
import { faulty } from '../../testing/faulty-storage.js';
import { memoryStorage } from '../../testing/memory-storage.js';
import { counting } from './counting.js';
import { limited } from './limit.js';
import { bodyOf, type Storage, storageKey } from './port.js';
import { readOnly } from './read-only.js';
import { type DownDetails, type RetryOptions, retrying } from './retry.js';
import { storageContract } from './storage.suite.js';

const key = storageKey('shared/a');
const body = bodyOf(Buffer.from('bytes'));
const range = { offset: 0, length: 100 };
const patient: RetryOptions = {
  attempts: 4,
  firstWaitMs: 100,
  longestWaitMs: 300,
  sleep: async () => {},
  random: () => 0,
};

storageContract('memory', () => ({ storage: memoryStorage() }));
storageContract('counting', () => ({ storage: counting(memoryStorage()) }));
storageContract('limited', () => ({ storage: limited(memoryStorage(), 2) }));
storageContract('retrying', () => ({ storage: retrying(memoryStorage(), patient) }));
storageContract('faulty', () => ({ storage: faulty(memoryStorage()) }));
storageContract('all of them, with a failure now and then', () => {
  const storage = faulty(memoryStorage());
  for (const method of ['stat', 'get', 'put'] as const) {
    for (let i = 0; i < 3; i++) storage.inject(method, { kind: 'error', code: 'ERR_REMOTE_DOWN' });
  }
  return { storage: limited(retrying(counting(storage), patient), 3) };
});

test('read-only reads and refuses to write', async () => {
  const inner = memoryStorage();
  await inner.put(key, body);
  const storage = readOnly(inner);
  expect((await storage.get(key, range))?.toString()).toBe('bytes');
  const refused = expect.objectContaining({ code: 'ERR_REMOTE_READ_ONLY' });
  await expect(storage.put(storageKey('shared/b'), body)).rejects.toEqual(refused);
  await expect(storage.delete?.(key)).rejects.toEqual(refused);
  expect([...inner.objects.keys()]).toEqual([key]);
});

test('counts every call', async () => {
  const storage = counting(memoryStorage());
  await storage.put(key, body);
  await storage.put(key, body, { ifAbsent: true });
  await storage.stat(key);
  await storage.get(key, range);
  for await (const _ of storage.list?.('') ?? []);
  await storage.delete?.(key);
  expect(storage.requests).toEqual({ head: 1, get: 1, put: 2, list: 1, delete: 1 });
});

test('never runs more calls at once than allowed, in their order', async () => {
  let running = 0;
  let most = 0;
  const order: string[] = [];
  const slow: Storage = {
    ...memoryStorage(),
    stat: async (asked) => {
      most = Math.max(most, ++running);
      order.push(asked);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (asked === 'a/3') throw new Error('one fails');
      return undefined;
    },
  };
  const storage = limited(slow, 3);
  const keys = Array.from({ length: 10 }, (_, i) => storageKey(`a/${i}`));
  const results = await Promise.allSettled(keys.map((asked) => storage.stat(asked)));
  expect(most).toBe(3);
  expect(order).toEqual(keys);
  expect(results.map((result) => result.status).indexOf('rejected')).toBe(3);
  expect(await storage.stat(key)).toBeUndefined();
});

test('tries again while the remote is down, with growing waits, and gives up in the end', async () => {
  const waits: number[] = [];
  const inner = faulty(memoryStorage());
  const storage = retrying(inner, {
    ...patient,
    sleep: async (ms) => {
      waits.push(ms);
    },
    random: () => 0.5,
  });
  for (let i = 0; i < 3; i++) inner.inject('put', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
  expect(await storage.put(key, body)).toBe('stored');
  inner.assertAllHit();
  expect(waits).toEqual([75, 150, 225]);
  for (let i = 0; i < 4; i++) inner.inject('stat', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
  await expect(storage.stat(key)).rejects.toThrow(SluiceError);
  inner.assertAllHit();
});

test('waits as long as it is asked to, and not at all where nobody answers', async () => {
  const waits: number[] = [];
  const options = {
    ...patient,
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  };
  const failing = (details: DownDetails): Storage => ({
    ...memoryStorage(),
    stat: async () => {
      throw new SluiceError('ERR_REMOTE_DOWN', 'down', { details: { ...details } });
    },
  });
  const down = expect.objectContaining({ code: 'ERR_REMOTE_DOWN' });
  await expect(retrying(failing({ retryAfterMs: 5000 }), options).stat(key)).rejects.toEqual(down);
  expect(waits).toEqual([5050, 5100, 5150]);
  await expect(retrying(failing({ retryAfterMs: 31_000 }), options).stat(key)).rejects.toEqual(down);
  await expect(retrying(failing({ silent: true }), options).stat(key)).rejects.toEqual(down);
  expect(waits).toHaveLength(3);
});

test('what gathers puts is flushed through all wrappers, and has nothing to flush where nothing is written', async () => {
  let flushes = 0;
  const gathering: Storage = {
    ...memoryStorage(),
    flush: async () => {
      flushes++;
    },
  };
  await limited(retrying(counting(faulty(gathering)), patient), 2).flush?.();
  expect(flushes).toBe(1);
  expect(readOnly(gathering).flush).toBeUndefined();
});

test('a put whose answer was lost is put again', async () => {
  const inner = faulty(memoryStorage());
  inner.inject('put', { kind: 'error', code: 'ERR_REMOTE_DOWN', after: true });
  expect(await retrying(inner, patient).put(key, body, { ifAbsent: true })).toBe('exists');
  inner.assertAllHit();
});

test('does not try again what is denied', async () => {
  const inner = faulty(memoryStorage());
  inner.inject('get', { kind: 'error', code: 'ERR_REMOTE_DENIED' });
  await expect(retrying(inner, patient).get(key, range)).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED' });
  inner.assertAllHit();
});

test('does not wait after an abort', async () => {
  const controller = new AbortController();
  const inner = faulty(memoryStorage());
  inner.inject('get', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
  const call = retrying(inner, patient).get(key, range, { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
});

test('a fault that is never hit fails the test', () => {
  const storage = faulty(memoryStorage());
  storage.inject('get', { kind: 'missing' });
  expect(() => storage.assertAllHit()).toThrow('missing of get');
});
