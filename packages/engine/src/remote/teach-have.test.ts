import { randomBytes } from 'node:crypto';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import { CHUNKING, openEncoded, pushEncoded } from '../testing/encoded-remote.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { type Files, randomFiles, storeFiles, useStores } from '../testing/store-files.js';
import type { Area } from './areas.js';
import { fetchRoots } from './fetch.js';
import { readHave } from './have-file.js';
import { HaveIndex } from './have-index.js';
import { pushRoots } from './push.js';
import { openRemote } from './remote.js';
import { counting, type RequestCounts } from './storage/counting.js';
import type { Storage } from './storage/port.js';

const MIB = 1024 * 1024;

const newStore = useStores(afterAll);

const files: Files = {
  deep: { a: randomFiles(40, 300), b: randomFiles(1200, 20, 'long') },
  'large.bin': randomBytes(9 * MIB),
  'chunks.bin': randomBytes(17 * MIB),
};

async function pushed(): Promise<{ storage: ReturnType<typeof memoryStorage>; root: OutRoot }> {
  const store = newStore();
  const storage = memoryStorage();
  const root = await storeFiles(store, files);
  await pushEncoded(store, storage, root, CHUNKING);
  return { storage, root };
}

async function fetchInto(
  store: Store,
  inner: Storage,
  root: OutRoot,
  more: Partial<Parameters<typeof fetchRoots>[0]> = {},
  area: Area = 'shared',
): Promise<RequestCounts> {
  const storage = counting(inner);
  await fetchRoots({ remote: openRemote({ storage, area }), store, wants: [{ root }], ...more });
  return storage.requests;
}

function knows(store: Store, root: OutRoot): boolean {
  const have = new HaveIndex();
  for (const record of readHave(store, 'memory:')) have.add(record, ['shared']);
  return have.knowsMap(Buffer.from(root.digest.slice(7), 'hex'));
}

test('after a fetch a push of a change asks no more than after a push, and sends the change alone', async () => {
  const { storage, root } = await pushed();
  const clone = newStore();
  await fetchInto(clone, storage, root);
  const changed = await storeFiles(clone, {
    ...files,
    deep: { ...(files.deep as Files), new: randomFiles(2, 50, 'n') },
  });
  const counted = counting(storage);
  const remote = openRemote({ storage: counted, area: 'shared', seen: 'have' });
  const sent = await pushRoots({ remote, store: clone, roots: [{ root: changed }] });
  expect(sent).toMatchObject({ files: { sent: 2 }, bytes: { sent: 100 } });
  expect(counted.requests).toMatchObject({ put: 3, list: 0 });
  // The format, what is condemned, the map that vouches, and the large file, which no table of a map names.
  expect(counted.requests).toMatchObject({ get: 3, head: 1 });
  // And the version itself is known to be there.
  expect(await pushRoots({ remote: openEncoded(storage), store: clone, roots: [{ root }] })).toMatchObject({
    files: { sent: 0 },
  });
});

test('it takes no request', async () => {
  const { storage, root } = await pushed();
  const taught = await fetchInto(newStore(), storage, root);
  // A trusted writer finds bytes by that map, after a look into its own area, and believes nothing else of it.
  const store = newStore();
  const untaught = await fetchInto(store, storage, root, {}, 'trusted');
  expect(knows(store, root)).toBe(false);
  expect(taught.get + taught.head).toBe(untaught.get + untaught.head - 1);
});

test('only a fetch of everything teaches, and not from what evicts', async () => {
  const { storage, root } = await pushed();
  const partly: Partial<Parameters<typeof fetchRoots>[0]>[] = [
    { wants: [{ root, filter: (path) => path.startsWith('deep/a') }] },
    { treesOnly: true },
    { maxBytes: MIB },
  ];
  for (const more of partly) {
    const store = newStore();
    await fetchInto(store, storage, root, more);
    expect(knows(store, root)).toBe(false);
    await fetchInto(store, storage, root);
    expect(knows(store, root)).toBe(true);
  }
  const store = newStore();
  await fetchInto(store, { ...storage, durable: false }, root);
  expect(knows(store, root)).toBe(false);
});
