import { randomBytes } from 'node:crypto';
import { cacheStorage, useCacheServer } from '../../../testing/actions-cache.js';
import { bodyOf, storageKey } from '../port.js';

const ALL = { offset: 0, length: 64 * 1024 * 1024 };
const record = storageKey('trusted/record');
const pack = storageKey('trusted/pack');
const small = bodyOf(Buffer.from('small'));
const down = { code: 'ERR_REMOTE_DOWN' };

describe.each([
  ['version 2', { protocol: 'v2' as const }],
  ['version 1', { protocol: 'v1' as const }],
])('faults of %s', (_, options) => {
  const server = useCacheServer(options);
  const is2 = options.protocol === 'v2';
  const RESERVE = is2 ? /CreateCacheEntry/ : /^POST \/caches /;
  const FINISH = is2 ? /FinalizeCacheEntryUpload/ : /^POST \/caches\/\d/;
  const LOOK_UP = is2 ? /GetCacheEntryDownloadURL/ : /^GET \/cache /;
  const SEND = is2 ? /^PUT/ : /^PATCH/;

  const roundTrip = async (): Promise<void> => {
    const bytes = randomBytes(700_000);
    const job = cacheStorage(server());
    await job.put(record, small);
    await job.put(pack, bodyOf(bytes));
    await job.flush();
    const reader = cacheStorage(server());
    expect((await reader.get(record, ALL))?.toString()).toBe('small');
    expect((await reader.get(pack, ALL))?.equals(bytes)).toBe(true);
  };

  test.each([
    ['500', { kind: 'status', status: 500, body: { msg: 'oops' } }],
    ['503', { kind: 'status', status: 503 }],
    ['429', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }],
    ['a broken connection', { kind: 'reset', when: 'before' }],
    ['an answer that is lost', { kind: 'reset', when: 'after' }],
  ] as const)('%s passes, at every request', async (_name, fault) => {
    for (const match of [RESERVE, SEND, FINISH, LOOK_UP, /^GET \/blobs/]) server().inject(match, fault);
    await roundTrip();
    server().assertAllHit();
    // Once more, when the fault comes second.
    server().inject(LOOK_UP, { kind: 'run', run: () => {} });
    for (const match of [RESERVE, SEND, FINISH, LOOK_UP, /^GET \/blobs/]) server().inject(match, fault);
    await roundTrip();
  });

  test('an answer of which half comes is asked for again', async () => {
    server().inject(/^GET \/blobs/, { kind: 'half' }, 2);
    await roundTrip();
  });

  test('a service that says nothing is told as down, and then left alone', async () => {
    server().inject(/./, { kind: 'stall' }, 5);
    const job = cacheStorage(server(), { answerMs: 50 });
    await expect(job.stat(record)).rejects.toMatchObject({ ...down, message: expect.stringContaining('too long') });
  });

  test('a service that is down is not asked again and again', async () => {
    server().inject(LOOK_UP, { kind: 'status', status: 502 }, 15);
    const job = cacheStorage(server());
    for (let i = 0; i < 3; i++) await expect(job.stat(record)).rejects.toMatchObject(down);
    const asked = server().seen.length;
    expect(asked).toBe(15);
    await expect(job.stat(record)).rejects.toMatchObject(down);
    await expect(job.get(record, ALL)).rejects.toMatchObject(down);
    expect(server().seen.length).toBe(asked);
  });

  test('who asks to be left alone for long is, at once', async () => {
    server().inject(LOOK_UP, { kind: 'status', status: 429, headers: { 'retry-after': '120' } });
    const job = cacheStorage(server());
    await expect(job.stat(record)).rejects.toMatchObject({ ...down, details: { retryAfterMs: 120_000 } });
    await expect(job.stat(record)).rejects.toMatchObject(down);
    expect(server().seen.length).toBe(1);
  });

  test('data that cannot be sent takes with it all that was put after it', async () => {
    const job = cacheStorage(server());
    await job.put(record, bodyOf(Buffer.from('before')));
    await job.flush();
    server().inject(SEND, { kind: 'status', status: 500 }, 5);
    await job.put(pack, bodyOf(randomBytes(100_000)));
    await job.put(record, bodyOf(Buffer.from('names the pack')));
    await expect(job.flush()).rejects.toMatchObject(down);
    expect((await job.get(record, ALL))?.toString()).toBe('before');
    expect(await job.stat(pack)).toBeUndefined();
    await job.flush();
    expect((await cacheStorage(server()).get(record, ALL))?.toString()).toBe('before');
    await job.put(pack, bodyOf(randomBytes(100_000)));
    await job.flush();
    expect(await cacheStorage(server()).stat(pack)).toEqual({ bytes: 100_000 });
  });

  test('a block that cannot be sent fails the put that meets it, or the flush', async () => {
    server().inject(is2 ? /comp=block / : /^PATCH/, { kind: 'status', status: 404 });
    const job = cacheStorage(server());
    const work = async (): Promise<void> => {
      await job.put(pack, bodyOf(randomBytes(3_000_000)));
      await job.flush();
    };
    await expect(work()).rejects.toMatchObject(down);
    expect(await cacheStorage(server()).stat(pack)).toBeUndefined();
  });

  test('a flush that is interrupted leaves nothing behind but what is whole, and can be called again', async () => {
    const job = cacheStorage(server());
    await job.put(record, small);
    await job.put(pack, bodyOf(randomBytes(700_000)));
    for (const match of [SEND, FINISH]) {
      const controller = new AbortController();
      server().inject(match, { kind: 'run', run: () => controller.abort() });
      await expect(job.flush({ signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
      expect(await cacheStorage(server()).stat(record)).toBeUndefined();
    }
    await job.flush();
    const reader = cacheStorage(server());
    expect((await reader.get(record, ALL))?.toString()).toBe('small');
    expect((await reader.get(pack, ALL))?.length).toBe(700_000);
  });

  test('quota, wrong tokens and wrong addresses have their own words', async () => {
    const put = async (): Promise<void> => {
      const job = cacheStorage(server());
      await job.put(record, small);
      await job.flush();
    };
    server().inject(RESERVE, {
      kind: 'status',
      status: 403,
      body: { msg: 'insufficient usage to create', message: 'insufficient usage' },
    });
    await expect(put()).rejects.toMatchObject({ code: 'ERR_DISK_FULL' });
    server().inject(RESERVE, { kind: 'status', status: 401 });
    await expect(put()).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED', message: expect.stringContaining('token') });
    server().inject(LOOK_UP, {
      kind: 'status',
      status: 418,
      body: { msg: 'see https://x/?sig=secret', message: 'see https://x/?sig=secret' },
    });
    await expect(put()).rejects.toMatchObject({
      code: 'ERR_REMOTE_DENIED',
      message: expect.not.stringContaining('secret'),
    });
  });
});
