import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../errors.js';
import { type BackgroundOptions, backgroundPush } from './background-push.js';
import type { PushReport, RemotePush } from './reports.js';

const requests = { head: 0, get: 0, put: 1, list: 0, delete: 0 };

function reportOf(files: number, error: RemotePush['error'] = null): PushReport {
  const counts = {
    files: { sent: files, reused: 0 },
    objects: { sent: files, reused: 0 },
    bytes: { sent: 10 * files, reused: 0 },
  };
  return {
    remote: 'near',
    ...counts,
    requests,
    ms: 1,
    dryRun: false,
    remotes: [{ remote: 'near', ...counts, requests, ms: 1, error }],
  };
}

/** Pushes that a test lets through one by one, and news that it gives. */
function gated(changes: Partial<BackgroundOptions> = {}) {
  const news: string[] = [];
  const begun: {
    select: readonly string[];
    isLast: boolean;
    signal: AbortSignal;
    end: (report?: PushReport) => void;
    fail: (error: unknown) => void;
  }[] = [];
  const pusher = backgroundPush({
    look: () => news.splice(0),
    push: (select, signal, isLast) =>
      new Promise((resolve, reject) => {
        begun.push({ select, isLast, signal, end: resolve, fail: reject });
        signal.addEventListener('abort', () => reject(new SluiceError('ERR_INTERRUPTED', 'interrupted')));
      }),
    isBusy: () => true,
    everyMs: 5,
    idleMs: 60_000,
    ...changes,
  });
  const next = async (count: number) => {
    while (begun.length < count) await sleep(1);
    const push = begun[count - 1];
    if (push === undefined) throw new Error('no push began');
    return push;
  };
  return { news, begun, pusher, next };
}

test('one push at a time, with all that came meanwhile', async () => {
  const { news, begun, pusher, next } = gated();
  news.push('a');
  const first = await next(1);
  expect([first.select, first.isLast]).toEqual([['a'], false]);
  news.push('b');
  pusher.poke();
  news.push('c', 'b');
  pusher.poke();
  await sleep(20);
  expect(begun).toHaveLength(1);
  first.end(reportOf(2));
  const second = await next(2);
  expect(second.select).toEqual(['b', 'c']);
  second.end(reportOf(1));
  expect(await pusher.flush()).toEqual({
    remotes: ['near'],
    stages: ['a', 'b', 'c'],
    files: 3,
    objects: 3,
    bytes: 30,
    ms: 2,
    error: null,
  });
  expect(begun).toHaveLength(2);
});

test('a flush waits for what is under way, pushes the rest, and ends', async () => {
  const { news, begun, pusher, next } = gated();
  news.push('a');
  const first = await next(1);
  const flushed = pusher.flush();
  news.push('b');
  first.end(reportOf(1));
  const last = await next(2);
  expect([last.select, last.isLast]).toEqual([['b'], true]);
  last.end(reportOf(1));
  expect(await flushed).toMatchObject({ files: 2, error: null });
  news.push('c');
  pusher.poke();
  expect(await pusher.flush()).toEqual(await pusher.ended);
  expect(begun).toHaveLength(2);
});

test.each<[string, (push: { end: (report?: PushReport) => void; fail: (error: unknown) => void }) => void, string]>([
  ['throws', ({ fail }) => fail(new SluiceError('ERR_REMOTE_DOWN', 'it is away')), 'ERR_REMOTE_DOWN'],
  ['throws a bug', ({ fail }) => fail(new TypeError('oh no')), 'ERR_INTERNAL'],
  [
    'fails at one of two remotes',
    ({ end }) => end(reportOf(1, { code: 'ERR_REMOTE_DENIED', message: 'no' })),
    'ERR_REMOTE_DENIED',
  ],
])('a push that %s is not tried again at once, but at the end', async (_, fail, code) => {
  const { news, begun, pusher, next } = gated();
  news.push('a');
  fail(await next(1));
  await sleep(30);
  news.push('b');
  pusher.poke();
  expect(begun).toHaveLength(1);
  const flushed = pusher.flush();
  const last = await next(2);
  expect(last.select).toEqual(['a', 'b']);
  fail(last);
  expect(await flushed).toMatchObject({ error: { code } });
});

test('where another process pushes, it is tried again soon', async () => {
  const { news, pusher, next } = gated();
  news.push('a');
  (await next(1)).end(undefined);
  const second = await next(2);
  expect(second.select).toEqual(['a']);
  second.end(reportOf(1));
  expect(await pusher.flush()).toMatchObject({ files: 1, error: null });
});

test('stop aborts what is under way and pushes nothing more', async () => {
  const { news, begun, pusher, next } = gated();
  news.push('a');
  const { signal } = await next(1);
  news.push('b');
  expect(await pusher.stop()).toMatchObject({ files: 0 });
  expect(signal.aborted).toBe(true);
  expect(begun).toHaveLength(1);
  expect(await pusher.flush()).toEqual(await pusher.stop());
});

test('ends by itself when nothing is new and nobody is busy', async () => {
  let busy = true;
  const { pusher } = gated({ idleMs: 20, isBusy: () => busy });
  const first = await Promise.race([pusher.ended, sleep(100, 'still running')]);
  expect(first).toBe('still running');
  busy = false;
  expect(await pusher.ended).toMatchObject({ remotes: [], stages: [], files: 0, objects: 0, bytes: 0, error: null });
});

test('a look that fails is told, and does not end it', async () => {
  let looks = 0;
  const { pusher, next } = gated({
    look: () => {
      looks++;
      if (looks === 1) throw new SluiceError('ERR_WORKSPACE', 'nothing to see');
      return looks === 2 ? ['a'] : [];
    },
  });
  (await next(1)).end(reportOf(1));
  expect(await pusher.flush()).toMatchObject({ files: 1, error: null });
});
