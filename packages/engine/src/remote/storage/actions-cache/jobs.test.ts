import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cacheStorage, useCacheServer } from '../../../testing/actions-cache.js';
import { bodyOf, type Storage, storageKey } from '../port.js';
import { scopeName } from './cache-access.js';
import { CACHE_VERSION, indexKey } from './cache-keys.js';

const ALL = { offset: 0, length: 64 * 1024 * 1024 };
const MAIN = scopeName('refs/heads/main');
const key = (name: string): ReturnType<typeof storageKey> => storageKey(`trusted/${name}`);
const put = (storage: Storage, name: string, bytes: Buffer = Buffer.from(name)): Promise<unknown> =>
  storage.put(key(name), bodyOf(bytes));
const read = async (storage: Storage, name: string): Promise<string | undefined> =>
  (await storage.get(key(name), ALL))?.toString();

describe.each([
  ['version 2', { protocol: 'v2' as const }],
  ['version 1', { protocol: 'v1' as const }],
  ['version 1 of act', { protocol: 'v1' as const, dialect: 'act' as const }],
])('jobs on one cache, %s', (_, options) => {
  const server = useCacheServer(options);

  test('another job sees what was put when it is flushed, and not before', async () => {
    const first = cacheStorage(server());
    const large = randomBytes(1_000_000);
    await put(first, 'record');
    await put(first, 'pack', large);
    expect(await cacheStorage(server()).stat(key('record'))).toBeUndefined();
    await first.flush();
    const second = cacheStorage(server());
    expect(await read(second, 'record')).toBe('record');
    expect(
      (await second.get(key('pack'), { offset: 300_000, length: 7 }))?.equals(large.subarray(300_000, 300_007)),
    ).toBe(true);
    expect(await second.stat(key('pack'))).toEqual({ bytes: 1_000_000 });
  });

  test('everything of a job is two entries: its data, and the index', async () => {
    const job = cacheStorage(server());
    for (let i = 0; i < 40; i++) {
      await put(job, `maps/${i}`);
      await put(job, `packs/${i}`, randomBytes(10_000 + i));
    }
    await job.flush();
    await job.flush();
    expect(
      server()
        .entries()
        .map(({ key: name }) => name.slice(0, 10)),
    ).toEqual(['sluice-1-d', 'sluice-1-i']);
  });

  test('of jobs that end at the same moment nothing is lost', async () => {
    // Where nobody arbitrates, time does.
    const speed = options.protocol === 'v1' ? 4 : 100;
    const jobs = Array.from({ length: 6 }, () => cacheStorage(server(), { speed }));
    await Promise.all(jobs.map((job, i) => put(job, `records/${i}`)));
    await Promise.all(jobs.map((job, i) => put(job, `packs/${i}`, randomBytes(9000))));
    await Promise.all(jobs.map((job) => job.flush()));
    const reader = cacheStorage(server());
    for (let i = 0; i < jobs.length; i++) {
      expect(await read(reader, `records/${i}`)).toBe(`records/${i}`);
      expect(await reader.stat(key(`packs/${i}`))).toEqual({ bytes: 9000 });
    }
  });

  test('what is written once stays, also between jobs that did not see each other', async () => {
    const [first, second] = [cacheStorage(server()), cacheStorage(server())];
    expect(await first.put(key('record'), bodyOf(Buffer.from('first')), { ifAbsent: true })).toBe('stored');
    expect(await second.put(key('record'), bodyOf(Buffer.from('second')), { ifAbsent: true })).toBe('stored');
    await first.flush();
    await second.flush();
    const third = cacheStorage(server());
    expect(await third.put(key('record'), bodyOf(Buffer.from('third')), { ifAbsent: true })).toBe('exists');
    expect(await read(third, 'record')).toBe('first');
    await third.put(key('record'), bodyOf(Buffer.from('replaced')));
    await third.flush();
    expect(await read(cacheStorage(server()), 'record')).toBe('replaced');
  });

  test('a key that only begins like the one asked for is no hit', async () => {
    const job = cacheStorage(server());
    await put(job, 'pack', randomBytes(5000));
    await job.flush();
    const [data] = server().entries();
    server().evict(/-d-/);
    server().plant(`${data?.key}0`, data?.bytes ?? Buffer.alloc(0), data?.scope ?? '', CACHE_VERSION);
    const next = cacheStorage(server());
    expect(await next.stat(key('pack'))).toBeUndefined();
    expect(await next.get(key('pack'), ALL)).toBeUndefined();
  });

  test('what was evicted is a miss, also between the look-up and the download', async () => {
    const job = cacheStorage(server());
    await put(job, 'record');
    await put(job, 'pack', randomBytes(5000));
    await job.flush();
    const between = cacheStorage(server());
    expect(await between.stat(key('pack'))).toEqual({ bytes: 5000 });
    server().evict(/-d-/);
    expect(await between.get(key('pack'), ALL)).toBeUndefined();
    expect(await between.stat(key('pack'))).toBeUndefined();
    const after = cacheStorage(server());
    expect(await after.stat(key('pack'))).toBeUndefined();
    expect(await read(after, 'record')).toBe('record');
    // Put again, it is there again.
    await put(after, 'pack', Buffer.alloc(5000, 7));
    await after.flush();
    expect((await cacheStorage(server()).get(key('pack'), ALL))?.[4999]).toBe(7);
    server().evict(/-i-/);
    expect(await cacheStorage(server()).stat(key('record'))).toBeUndefined();
  });

  test('URLs that have become too old are asked for anew', async () => {
    const job = cacheStorage(server());
    await put(job, 'pack', Buffer.alloc(5000, 1));
    await job.flush();
    const reader = cacheStorage(server());
    await reader.stat(key('pack'));
    server().expire();
    expect((await reader.get(key('pack'), { offset: 0, length: 2 }))?.length).toBe(2);
  });

  test('large objects go in blocks, and a body that fails leaves the others whole', async () => {
    const job = cacheStorage(server());
    const before = randomBytes(700_000);
    const behind = randomBytes(9_000_000);
    await put(job, 'before', before);
    const failing = {
      bytes: 2_000_000,
      chunks: function* () {
        yield Buffer.alloc(1_000_000);
        throw new Error('the disk');
      },
    };
    await expect(job.put(key('failing'), failing)).rejects.toThrow('the disk');
    await put(job, 'behind', behind);
    await put(job, 'last', before);
    await job.flush();
    const reader = cacheStorage(server());
    expect((await reader.get(key('before'), ALL))?.equals(before)).toBe(true);
    expect((await reader.get(key('behind'), ALL))?.equals(behind)).toBe(true);
    expect((await reader.get(key('last'), ALL))?.equals(before)).toBe(true);
    expect(await reader.stat(key('failing'))).toBeUndefined();
  });
});

const server = useCacheServer();

test('a job that reads only what lies in the index makes two requests', async () => {
  const job = cacheStorage(server());
  for (let i = 0; i < 60; i++) await put(job, `records/${i}`);
  await job.flush();
  const reader = cacheStorage(server());
  server().seen.length = 0;
  for (let i = 0; i < 60; i++) expect(await read(reader, `records/${i}`)).toBe(`records/${i}`);
  await reader.flush();
  expect(server().seen).toEqual(['POST /GetCacheEntryDownloadURL', 'GET /blobs/1']);
  expect(reader.requests).toEqual({ head: 1, get: 1, put: 0, list: 0, delete: 0 });
});

test('a flush is a look-up, three requests for each entry, and a look whether it is seen', async () => {
  const job = cacheStorage(server());
  await put(job, 'record');
  await put(job, 'pack', randomBytes(10_000));
  server().seen.length = 0;
  await job.flush();
  expect(server().seen).toEqual([
    'POST /CreateCacheEntry',
    'PUT /blobs/1',
    'POST /FinalizeCacheEntryUpload',
    'POST /GetCacheEntryDownloadURL',
    'POST /CreateCacheEntry',
    'PUT /blobs/2',
    'POST /FinalizeCacheEntryUpload',
    'POST /GetCacheEntryDownloadURL',
  ]);
});

test('connections are used again', async () => {
  const job = cacheStorage(server());
  await put(job, 'pack', randomBytes(2_000_000));
  await job.flush();
  const reader = cacheStorage(server());
  const before = server().connections;
  for (let i = 0; i < 40; i++) await reader.get(key('pack'), { offset: i * 50_000, length: 50_000 });
  expect(server().connections - before).toBeLessThanOrEqual(1);
});

test('twenty jobs that end together all get their number', async () => {
  const jobs = Array.from({ length: 20 }, () => cacheStorage(server()));
  await Promise.all(jobs.map((job, i) => put(job, `records/${i}`)));
  await Promise.all(jobs.map((job) => job.flush()));
  const reader = cacheStorage(server());
  for (let i = 0; i < jobs.length; i++) expect(await read(reader, `records/${i}`)).toBe(`records/${i}`);
  expect(server().entries().length).toBe(jobs.length);
});

test('the service runs as a process too', async () => {
  const script = fileURLToPath(new URL('../../../../../../scripts/actions-cache/server.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    const env: Record<string, string> = JSON.parse(String(line));
    const answer = await fetch(
      `${env.ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${env.ACTIONS_RUNTIME_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ key: 'k', version: 'v' }),
      },
    );
    expect(await answer.json()).toEqual({ ok: false });
  } finally {
    child.stdin.end();
  }
  expect(await ended).toEqual([0, null]);
});

test('a number that a dead job reserved is passed by', async () => {
  const first = cacheStorage(server());
  await put(first, 'one');
  await first.flush();
  await fetch(`${server().url}/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server().token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key: indexKey(MAIN, 2), version: CACHE_VERSION }),
  });
  const second = cacheStorage(server());
  await put(second, 'two');
  await second.flush();
  const reader = cacheStorage(server());
  expect([await read(reader, 'one'), await read(reader, 'two')]).toEqual(['one', 'two']);
});

test('an index that is damaged, or says another number, counts as empty; that of a newer Sluice is refused', async () => {
  const job = cacheStorage(server());
  await put(job, 'record');
  await job.flush();
  const sound = server().entries()[0]?.bytes ?? Buffer.alloc(0);
  const plant = (number: number, bytes: Buffer): void =>
    server().plant(indexKey(MAIN, number) ?? '', bytes, 'refs/heads/main', CACHE_VERSION);
  plant(2, sound);
  expect(await cacheStorage(server()).stat(key('record'))).toBeUndefined();
  plant(3, sound.subarray(0, 90));
  const behind = cacheStorage(server());
  expect(await behind.stat(key('record'))).toBeUndefined();
  await put(behind, 'again');
  await behind.flush();
  expect(await read(cacheStorage(server()), 'again')).toBe('again');
  const newer = Buffer.from(sound);
  newer[4] = 2;
  plant(9, newer);
  await expect(cacheStorage(server()).stat(key('record'))).rejects.toMatchObject({ code: 'ERR_FORMAT_VERSION' });
});

test('what is too much for an index moves to an entry with data, and is found there', async () => {
  for (let round = 0; round < 3; round++) {
    const job = cacheStorage(server(), { limits: { inlineBytes: 20_000 } });
    for (let i = 0; i < 5; i++) await put(job, `maps/${round}-${i}`, Buffer.alloc(3000, round * 16 + i));
    await job.flush();
  }
  const reader = cacheStorage(server());
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5; i++) {
      const bytes = await reader.get(key(`maps/${round}-${i}`), ALL);
      expect(bytes?.equals(Buffer.alloc(3000, round * 16 + i))).toBe(true);
    }
  }
  const newest = server()
    .entries()
    .findLast(({ key: name }) => name.includes('-i-'));
  expect(newest?.bytes?.length).toBeLessThan(22_000);
});

test('objects that nobody used for longest are left out of an index that is full', async () => {
  const limits = { mostRows: 10 };
  for (let i = 0; i < 9; i++) {
    const job = cacheStorage(server(), { limits });
    await put(job, `records/${i}`);
    if (i > 0) await job.stat(key('records/0'));
    await job.flush();
  }
  const job = cacheStorage(server(), { limits });
  for (let i = 9; i < 14; i++) await put(job, `records/${i}`);
  await job.stat(key('records/0'));
  await job.flush();
  const reader = cacheStorage(server());
  const there = await Promise.all(Array.from({ length: 14 }, (_, i) => read(reader, `records/${i}`)));
  expect(there.flatMap((text, i) => (text === undefined ? [i] : []))).toEqual([1, 2, 3, 4]);
});

test('a flush that may wait does, for longer each time', async () => {
  const job = cacheStorage(server(), { limits: { flushGapMs: 150, longestFlushGapMs: 600 } });
  const flushed = async (name: string): Promise<boolean> => {
    await put(job, name);
    await job.flush({ mayWait: true });
    return (await cacheStorage(server()).stat(key(name))) !== undefined;
  };
  expect([await flushed('a'), await flushed('b')]).toEqual([true, false]);
  await sleep(200);
  expect(await flushed('c')).toBe(true);
  await sleep(200);
  expect(await flushed('d')).toBe(false);
  await job.flush();
  expect(await cacheStorage(server()).stat(key('d'))).toEqual({ bytes: 1 });
});

test('a job may not write more than the cache holds', async () => {
  const job = cacheStorage(server(), { limits: { mostBytes: 100_000 } });
  await put(job, 'first', randomBytes(90_000));
  await expect(put(job, 'second', randomBytes(20_000))).rejects.toMatchObject({ code: 'ERR_DISK_FULL' });
  await job.flush();
  expect(await cacheStorage(server()).stat(key('first'))).toEqual({ bytes: 90_000 });
});
