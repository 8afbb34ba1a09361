import fs from 'node:fs';
import { parseRecord, printRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { recordKey } from '../remote/keys.js';
import { scopeName } from '../remote/storage/actions-cache/cache-access.js';
import { encodeIndex, parseIndex } from '../remote/storage/actions-cache/cache-index.js';
import { CACHE_VERSION, indexKey } from '../remote/storage/actions-cache/cache-keys.js';
import { bodyOf } from '../remote/storage/port.js';
import { cacheStorage, type Rights, useCacheServer } from '../testing/actions-cache.js';
import {
  type Actor,
  type ActorOptions,
  dataOf,
  MAIN,
  made,
  recordOf,
  run,
  STRICT,
  useActors,
} from '../testing/actors.js';
import { evilRecord } from '../testing/eve.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();
const server = useCacheServer();
const people = useActors(temp);
const PLACE = { remote: { url: 'actions-cache:' } };
const PULL: Rights = [
  { scope: 'refs/pull/7/merge', permission: 3 },
  { scope: 'refs/heads/main', permission: 1 },
];
const ALL = { offset: 0, length: 100_000 };

const job = (options: ActorOptions, rights?: Rights): Promise<Actor> =>
  people.actor(PLACE, { ...options, env: server().env(rights) });

/** A root that looks like what main makes, whole in the cache of a job with these rights. */
async function evilRoot(rights: Rights | undefined): Promise<OutRoot> {
  const eve = await job({ ...MAIN, data: 'evil' }, rights);
  fs.renameSync(eve.at('p/data/file'), eve.at('p/data/copy'));
  await eve.engine.commit({ select: ['p:data'] });
  await eve.engine.push({ select: ['p:data'] });
  return dataOf(eve);
}

/** Eve records in the area of main that it is the result of what main will run. */
async function poison(rights: Rights | undefined): Promise<void> {
  const record = evilRecord(await people.foreseen(), await evilRoot(rights));
  const storage = cacheStorage(server(), rights === undefined ? {} : { rights });
  await storage.put(recordKey('trusted', record.fingerprint), bodyOf(Buffer.from(printRecord(record))));
  await storage.flush();
}

test('what a pull request puts into its cache, main does not see', async () => {
  await poison(PULL);
  const main = await job(MAIN);
  expect(await run(main)).toBe('ran');
  expect(made(main)).toBe('input');
  expect(main.decisions()).toEqual([{ decision: 'run', reasons: expect.stringContaining('"kind"') }]);
});

test.each<[string, string]>([
  ['a pull request', 'refs/pull/7/merge'],
  ['main, without its key', 'refs/heads/main'],
])('an entry with a longer key than an index, by %s, is none', async (_, scope) => {
  const first = await job(STRICT);
  expect(await run(first)).toBe('ran');
  await first.engine.push({ select: ['p:make'] });
  const record = recordOf(first);
  const evil = await evilRoot(undefined);
  const name = scopeName('refs/heads/main');
  const newest = server()
    .entries()
    .findLast(({ key }) => key.startsWith('sluice-1-i-'));
  const index = parseIndex(newest?.bytes ?? Buffer.alloc(0), 'here');
  if (index === 'damaged') throw new Error('it is damaged');
  const lie = Buffer.from(printRecord(evilRecord(record, evil)));
  const row = { bytes: lie.length, usedIn: 1, place: { kind: 'inline' as const, data: lie } };
  const rows = new Map([...index.rows, [recordKey('trusted', record.fingerprint), row]]);
  server().plant(`${indexKey(name, 9)}9`, encodeIndex({ ...index, generation: 99, rows }), scope, CACHE_VERSION);
  for (const options of [MAIN, STRICT]) {
    const main = await job(options);
    // The service gives what is newest, and where that is the lie, main knows of no index.
    expect(await run(main)).toBe(scope === 'refs/heads/main' ? 'ran' : 'restored');
    expect(made(main)).toBe('input');
  }
});

test('with the rights of main, what is not signed is refused where main is strict', async () => {
  await poison(undefined);
  const careless = await job(MAIN);
  expect(await run(careless)).toBe('restored');
  expect(made(careless)).toBe('evil');
  const main = await job(STRICT);
  expect(await run(main)).toBe('ran');
  expect(made(main)).toBe('input');
  expect(main.warnings()).toContainEqual(expect.stringMatching(/^ERR_SIGNATURE: remote main is not believed: /));
  await main.engine.push({ select: ['p:make'] });
  const { fingerprint } = recordOf(main);
  const stored = await cacheStorage(server()).get(recordKey('trusted', fingerprint), ALL);
  expect(parseRecord(String(stored), 'main').signature).toBeDefined();
  const next = await job(STRICT);
  expect(await run(next)).toBe('restored');
  expect(made(next)).toBe('input');
});
