import { memoryStorage } from '../../testing/memory-storage.js';
import { temporaryStore } from '../../testing/store-files.js';
import { condemnedKey, holdKey } from '../keys.js';
import { counting } from '../storage/counting.js';
import { bodyOf, type Storage, storageKey } from '../storage/port.js';
import { writeCondemned } from './condemned.js';
import { Lookout, type LookoutTimes } from './lookout.js';
import { quietNote } from './quiet-note.js';

const TIMES: LookoutTimes = { lookMs: 60_000, limitMs: 60_000, staleMs: 1000, mostMs: 500, waitMs: 300, pollMs: 10 };
const PACK = storageKey(`shared/packs/${'1'.repeat(32)}.pack`);
const MAP = storageKey(`shared/maps/ab/${'2'.repeat(62)}.map`);

let now = 5000;
const { store, remove } = temporaryStore();
afterAll(remove);

const lookoutOn = (storage: Storage, times = TIMES, quiet?: ReturnType<typeof quietNote>): Lookout =>
  new Lookout({ storage, times, quiet });
const put = async (storage: Storage, key: typeof MAP): Promise<boolean> =>
  (await storage.put(key, bodyOf(Buffer.from('x')))) === 'stored';

/** A storage with a map and a pack that are condemned. */
async function condemned(): Promise<ReturnType<typeof memoryStorage>> {
  const storage = memoryStorage('memory:', () => now);
  for (const key of [PACK, MAP]) await put(storage, key);
  const objects = [PACK, MAP].map((key) => ({ key, bytes: 1, modifiedMs: now }));
  await writeCondemned(storage, 'shared', objects, undefined);
  now += 10_000;
  return storage;
}

test('that nothing is condemned is asked once, and remembered by the store for a while', async () => {
  const storage = counting(memoryStorage());
  const quiet = quietNote(store, 'quiet');
  for (const lookout of [lookoutOn(storage, TIMES, quiet), lookoutOn(storage, TIMES, quiet)]) {
    for (const key of [PACK, MAP]) expect(await lookout.isCondemned('shared', key, undefined)).toBe(false);
    expect(storage.requests.get).toBe(1);
  }
  const impatient = lookoutOn(storage, { ...TIMES, lookMs: 0 }, quiet);
  await impatient.isCondemned('shared', PACK, undefined);
  expect(storage.requests.get).toBe(2);
  expect(impatient.mayRelySince(impatient.oldestLook())).toBe(true);
});

test('a list is not remembered as quiet, and one that cannot be read stops a pusher', async () => {
  const storage = await condemned();
  const quiet = quietNote(store, 'loud');
  expect(await lookoutOn(storage, TIMES, quiet).isCondemned('shared', PACK, undefined)).toBe(true);
  await storage.delete?.(condemnedKey('shared'));
  expect(await lookoutOn(storage, TIMES, quiet).isCondemned('shared', PACK, undefined)).toBe(false);
  await storage.put(condemnedKey('shared'), bodyOf(Buffer.from('{"version":2}')));
  const code = { code: 'ERR_FORMAT_VERSION' };
  await expect(lookoutOn(storage).isCondemned('shared', PACK, undefined)).rejects.toMatchObject(code);
});

test('what takes longer than the limit may not be relied on', () => {
  const lookout = lookoutOn(memoryStorage());
  const before = { wallMs: Date.now() - 70_000, runMs: performance.now() };
  expect(lookout.mayRelySince(before)).toBe(false);
  expect(lookout.mayRelySince({ wallMs: Date.now(), runMs: performance.now() - 70_000 })).toBe(false);
});

test('a map that was written again is no longer condemned, for others too; a pack stays so', async () => {
  const storage = await condemned();
  const lookout = lookoutOn(storage);
  expect(await lookout.isCondemned('shared', MAP, undefined)).toBe(true);
  await lookout.renew('shared', MAP, () => put(storage, MAP), undefined);
  await put(storage, PACK);
  for (const one of [lookout, lookoutOn(storage)]) {
    expect(await one.isCondemned('shared', MAP, undefined)).toBe(false);
    expect(await one.isCondemned('shared', PACK, undefined)).toBe(true);
  }
});

test('a renewal waits for a collection, and begins again when that has deleted it', async () => {
  const storage = await condemned();
  const hold = holdKey('shared', Buffer.alloc(16, 7));
  await put(storage, hold);
  let puts = 0;
  const again = async (): Promise<boolean> => {
    puts++;
    return put(storage, MAP);
  };
  setTimeout(() => {
    storage.objects.delete(MAP);
    storage.objects.delete(hold);
  }, 50);
  await lookoutOn(storage).renew('shared', MAP, again, undefined);
  expect(puts).toBe(2);
  expect(storage.objects.has(MAP)).toBe(true);
});

test('a collection that does not end is in the way, one that died long ago is not', async () => {
  const storage = await condemned();
  const hold = holdKey('shared', Buffer.alloc(16, 7));
  await put(storage, hold);
  const renew = (): Promise<void> => lookoutOn(storage).renew('shared', MAP, () => put(storage, MAP), undefined);
  await expect(renew()).rejects.toMatchObject({ code: 'ERR_HELD', exitCode: 5 });
  now += TIMES.staleMs;
  await renew();
});
