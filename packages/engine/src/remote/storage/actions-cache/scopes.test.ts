import { cacheStorage, type Rights, useCacheServer } from '../../../testing/actions-cache.js';
import { bodyOf, storageKey } from '../port.js';
import { cacheAccess, scopeName } from './cache-access.js';
import { encodeIndex, parseIndex } from './cache-index.js';
import { CACHE_VERSION, indexKey } from './cache-keys.js';

const server = useCacheServer();
const ALL = { offset: 0, length: 1000 };
const PULL: Rights = [
  { scope: 'refs/pull/7/merge', permission: 3 },
  { scope: 'refs/heads/main', permission: 1 },
];
const record = storageKey('trusted/records/one');
const body = (text: string): ReturnType<typeof bodyOf> => bodyOf(Buffer.from(text));
const isOwn = (key: string): boolean => !key.includes('/') || key.startsWith('pr/7/');

test('a pull request reads what its base wrote, and only itself reads what it writes', async () => {
  const main = cacheStorage(server());
  await main.put(record, body('of main'));
  await main.flush();
  const pull = cacheStorage(server(), { rights: PULL, isOwn });
  expect((await pull.get(record, ALL))?.toString()).toBe('of main');
  await pull.put(storageKey('pr/7/records/two'), body('of the pull request'));
  await pull.flush();
  const again = cacheStorage(server(), { rights: PULL, isOwn });
  expect((await again.get(storageKey('pr/7/records/two'), ALL))?.toString()).toBe('of the pull request');
  expect((await again.get(record, ALL))?.toString()).toBe('of main');
  expect(await cacheStorage(server()).stat(storageKey('pr/7/records/two'))).toBeUndefined();
});

test('a new index of main is seen although the pull request has one of its own', async () => {
  const pull = cacheStorage(server(), { rights: PULL, isOwn });
  await pull.put(storageKey('pr/7/records/two'), body('early'));
  await pull.flush();
  const main = cacheStorage(server());
  await main.put(record, body('late'));
  await main.flush();
  const again = cacheStorage(server(), { rights: PULL, isOwn });
  expect((await again.get(record, ALL))?.toString()).toBe('late');
});

test('what the own scope of a pull request says of the trusted area does not count', async () => {
  const liar = cacheStorage(server(), { rights: PULL });
  await liar.put(record, body('a lie'));
  await liar.flush();
  const honest = cacheStorage(server(), { rights: PULL, isOwn });
  expect(await honest.stat(record)).toBeUndefined();
  expect(await cacheStorage(server()).stat(record)).toBeUndefined();
});

test('an index that a pull request writes under the name of main is read by itself alone', async () => {
  const main = cacheStorage(server());
  await main.put(record, body('of main'));
  await main.flush();
  const sound = server().entries()[0]?.bytes ?? Buffer.alloc(0);
  const lie = parseIndex(sound, 'here');
  if (lie === 'damaged') throw new Error('it is damaged');
  const row = { bytes: 5, usedIn: 1, place: { kind: 'inline' as const, data: Buffer.from('a lie') } };
  const bytes = encodeIndex({ ...lie, generation: 9_999_999_999, rows: new Map([[record, row]]) });
  const name = indexKey(scopeName('refs/heads/main'), 9_999_999_999) ?? '';
  server().plant(name, bytes, 'refs/pull/7/merge', CACHE_VERSION);
  // GitHub looks in the own scope first, whatever the key says: who may write there deceives nobody but itself.
  const pull = cacheStorage(server(), { rights: PULL, isOwn });
  expect((await pull.get(record, ALL))?.toString()).toBe('a lie');
  const later = cacheStorage(server());
  expect((await later.get(record, ALL))?.toString()).toBe('of main');
  await later.put(storageKey('trusted/records/two'), body('x'));
  await later.flush();
  const other: Rights = [
    { scope: 'refs/pull/8/merge', permission: 3 },
    { scope: 'refs/heads/main', permission: 1 },
  ];
  expect((await cacheStorage(server(), { rights: other, isOwn }).get(record, ALL))?.toString()).toBe('of main');
});

test('a token without rights to write is known before any request', async () => {
  const rights: Rights = [{ scope: 'refs/heads/main', permission: 1 }];
  const storage = cacheStorage(server(), { rights });
  await expect(storage.put(record, body('x'))).rejects.toMatchObject({
    code: 'ERR_REMOTE_READ_ONLY',
    message: expect.stringContaining('may only read'),
  });
  await expect(cacheStorage(server(), { mode: 'read' }).put(record, body('x'))).rejects.toMatchObject({
    code: 'ERR_REMOTE_READ_ONLY',
    message: expect.stringContaining('cache-mode read'),
  });
  await expect(cacheStorage(server(), { mode: 'none' }).stat(record)).rejects.toMatchObject({
    code: 'ERR_REMOTE_DENIED',
  });
  expect(server().seen).toEqual([]);
  await storage.flush();
  expect(await storage.stat(record)).toBeUndefined();
});

test('a refusal that the token did not announce is told in words, and asked for once', async () => {
  const storage = cacheStorage(server());
  const denied = { code: 'permission_denied', msg: 'cache write denied: this event may only read' };
  server().inject(/CreateCacheEntry/, { kind: 'status', status: 403, body: denied });
  await storage.put(record, body('x'));
  const told = { code: 'ERR_REMOTE_DENIED', message: expect.stringContaining('this event may only read') };
  await expect(storage.flush()).rejects.toMatchObject(told);
  const asked = server().seen.length;
  await expect(storage.flush()).rejects.toMatchObject(told);
  expect(server().seen.slice(asked)).toEqual(['POST /GetCacheEntryDownloadURL']);
  server().inject(/GetCacheEntryDownloadURL/, {
    kind: 'status',
    status: 200,
    body: { ok: false, message: 'cache read denied: policy' },
  });
  const reader = cacheStorage(server());
  await expect(reader.stat(record)).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED', details: { denied: 'read' } });
});

describe('what a token says', () => {
  const tokenOf = (ac: unknown): string => `e30.${Buffer.from(JSON.stringify({ ac })).toString('base64url')}.c2ln`;

  test('scopes with the own one first, and rights', () => {
    const token = tokenOf(
      JSON.stringify([
        { Scope: 'refs/heads/main', Permission: 1 },
        { Scope: 'refs/pull/7/merge', Permission: 3 },
        { Scope: 'refs/heads/other', Permission: 2 },
        { Scope: 5 },
      ]),
    );
    const access = cacheAccess(token, undefined);
    expect(access.scopes).toEqual(['refs/pull/7/merge', 'refs/heads/main']);
    expect([access.canRead, access.canWrite, access.why]).toEqual([true, true, undefined]);
  });

  test.each([
    '',
    'x',
    'a.b.c',
    `e30.${'A'.repeat(70_000)}.x`,
    tokenOf(5),
    tokenOf('not json'),
    tokenOf('{}'),
    tokenOf('[{"Scope":"","Permission":2}]'),
  ])('one that cannot be read may do everything until the service says otherwise: %.20s', (token) => {
    expect(cacheAccess(token, undefined)).toEqual({ scopes: [''], canRead: true, canWrite: true, why: undefined });
  });

  test('a mode that reads nothing writes nothing, for what is there would not be known', () => {
    const token = tokenOf(JSON.stringify([{ Scope: 'refs/heads/main', Permission: 3 }]));
    const rights = (mode: string): boolean[] => {
      const { canRead, canWrite } = cacheAccess(token, mode);
      return [canRead, canWrite];
    };
    expect(rights('write')).toEqual([true, true]);
    expect(rights('read')).toEqual([true, false]);
    expect(rights('none')).toEqual([false, false]);
    expect(rights('write-only')).toEqual([false, false]);
    expect(cacheAccess(tokenOf('[]'), undefined)).toMatchObject({ canRead: false, canWrite: false });
  });
});
