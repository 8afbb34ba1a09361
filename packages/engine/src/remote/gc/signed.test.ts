import type { OutRoot } from '../../model/root.js';
import { type MemoryStorage, memoryStorage } from '../../testing/memory-storage.js';
import { randomFiles, storeFiles, useStores } from '../../testing/store-files.js';
import { fetchRoots } from '../fetch.js';
import { mapKey } from '../keys.js';
import { pushRoots } from '../push.js';
import { openRemote, type Remote } from '../remote.js';
import { NO_SIGNATURES, openSignatures, type Signatures } from '../signatures.js';
import { willStayComplete } from '../will-stay.js';
import { type CollectRemoteReport, collectRemote } from './collect.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const KEY = openSignatures(['k'.repeat(32)], { records: true, maps: true });

const newStore = useStores(afterAll);
let now: number;
let storage: MemoryStorage;
beforeEach(() => {
  now = 1_700_000_000_000;
  storage = memoryStorage('memory:', () => now);
});

const open = (signatures: Signatures): Remote => openRemote({ storage, area: 'trusted', signatures });

async function gc(signatures: Signatures, live: OutRoot, known: readonly OutRoot[]): Promise<CollectRemoteReport> {
  now += 2 * DAY_MS;
  return collectRemote({
    remote: open(signatures),
    reader: newStore().reader,
    roots: async () => ({ live: new Set([live.digest]), known: new Set(known.map(({ digest }) => digest)) }),
    graceMs: DAY_MS,
    nowMs: now,
    by: 'test',
  });
}

/** Two versions of an out, the later of which refers to the map of the first. */
async function twoVersions(): Promise<[OutRoot, OutRoot]> {
  const store = newStore();
  const files = { kept: randomFiles(40, 100), more: randomFiles(40, 100) };
  const first = await storeFiles(store, files);
  const second = await storeFiles(store, { ...files, more: randomFiles(1, 100) });
  await pushRoots({ remote: open(KEY), store, roots: [{ root: first }] });
  await pushRoots({ remote: open(KEY), store, roots: [{ root: second, previous: [first] }] });
  return [first, second];
}

test('a map that a collection writes again is signed again', async () => {
  const [first, second] = await twoVersions();
  const before = storage.objects.get(mapKey('trusted', second.digest));
  for (let i = 0; i < 3; i++) await gc(KEY, second, [first, second]);
  expect(storage.objects.has(mapKey('trusted', first.digest))).toBe(false);
  expect(storage.objects.get(mapKey('trusted', second.digest))?.equals(before ?? Buffer.alloc(0))).toBe(false);
  expect(await willStayComplete(open(KEY), second, newStore().reader)).toBe(true);
  expect(await fetchRoots({ remote: open(KEY), store: newStore(), wants: [{ root: second }] })).toMatchObject({
    files: { received: 41 },
  });
});

test('who has no key writes no map again that is signed, and keeps what it refers to', async () => {
  const [first, second] = await twoVersions();
  const before = storage.objects.get(mapKey('trusted', second.digest));
  for (let i = 0; i < 3; i++) await gc(NO_SIGNATURES, second, [first, second]);
  expect(storage.objects.get(mapKey('trusted', second.digest))).toBe(before);
  expect(await willStayComplete(open(KEY), second, newStore().reader)).toBe(true);
});

test('a map of something in use that somebody else has exchanged stops a strict collection', async () => {
  const [first, second] = await twoVersions();
  const forger = newStore();
  const other = memoryStorage();
  const root = await fetchRoots({ remote: open(KEY), store: forger, wants: [{ root: second }] }).then(() => second);
  await pushRoots({ remote: openRemote({ storage: other, area: 'trusted' }), store: forger, roots: [{ root }] });
  const key = mapKey('trusted', second.digest);
  storage.objects.set(key, other.objects.get(key) ?? Buffer.alloc(0));
  const count = storage.objects.size;
  await expect(gc(KEY, second, [first, second])).rejects.toMatchObject({
    code: 'ERR_GC_STOPPED',
    message: expect.stringContaining('is not signed'),
  });
  expect(storage.objects.size).toBe(count);
});
