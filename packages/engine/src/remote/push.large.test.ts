import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { rawDigestOf } from '../model/digest.js';
import { SEAL_SECONDS } from '../store/loose.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { flat, randomFiles, readFiles, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import { type PushRootsOptions, pushRoots } from './push.js';
import { openRemote } from './remote.js';
import type { Storage } from './storage/port.js';

const MIB = 1024 * 1024;

const newStore = useStores();

const open = (storage: Storage): PushRootsOptions['remote'] => openRemote({ storage, area: 'shared' });
const files = {
  a: randomBytes(8 * MIB),
  b: randomBytes(9 * MIB),
  c: randomBytes(10 * MIB),
  small: randomFiles(100, 1000),
  twin: randomBytes(100),
  zwilling: Buffer.alloc(0),
};

test('several large files are on their way at once, and all come back', async () => {
  const inner = memoryStorage();
  let running = 0;
  let most = 0;
  const storage: Storage = {
    ...inner,
    put: async (key, body, options) => {
      running++;
      most = Math.max(most, running);
      await sleep(30);
      const answer = await inner.put(key, body, options);
      running--;
      return answer;
    },
  };
  const store = newStore();
  const root = await storeFiles(store, files);
  expect((await pushRoots({ remote: open(storage), store, roots: [{ root }] })).files.sent).toBe(105);
  expect(most).toBeGreaterThanOrEqual(3);
  const clone = newStore();
  await fetchRoots({ remote: open(inner), store: clone, wants: [{ root }] });
  expect(readFiles(clone, root)).toEqual(flat(files));
});

test('progress tells of what has arrived, never of what is only packed, and ends at exactly its totals', async () => {
  const inner = memoryStorage();
  let arrived = 0;
  let told = 0;
  let toldFiles = 0;
  const storage: Storage = {
    ...inner,
    put: async (key, body, options) => {
      const isPack = key.includes('/packs/');
      if (isPack) await sleep(50);
      const answer = await inner.put(key, body, options);
      if (isPack) arrived += body.bytes;
      return answer;
    },
  };
  const store = newStore();
  const root = await storeFiles(store, { small: files.small, more: randomFiles(50, 500) });
  await pushRoots({
    remote: open(storage),
    store,
    roots: [{ root }],
    beginProgress: (totalFiles, totalBytes) => {
      expect([totalFiles, totalBytes]).toEqual([150, root.bytes]);
      return (moreFiles, moreBytes) => {
        toldFiles += moreFiles;
        told += moreBytes;
        expect(told).toBeLessThanOrEqual(arrived);
      };
    },
  });
  expect([toldFiles, told]).toEqual([150, root.bytes]);
});

test('progress of large files that are sent, are there, or are read twice ends at exactly its totals', async () => {
  const inner = memoryStorage();
  const store = newStore();
  const { c, ...rest } = files;
  await pushRoots({ remote: open(inner), store, roots: [{ root: await storeFiles(store, { c }) }] });
  const storage: Storage = {
    ...inner,
    put: async (key, body, options) => {
      for await (const _ of body.chunks());
      return inner.put(key, body, options);
    },
  };
  const root = await storeFiles(store, { ...rest, c, again: { c } });
  let [toldFiles, told] = [0, 0];
  await pushRoots({
    remote: open(storage),
    store,
    roots: [{ root }],
    beginProgress: () => (moreFiles, moreBytes) => {
      toldFiles += moreFiles;
      told += moreBytes;
    },
  });
  expect([toldFiles, told]).toEqual([root.files, root.bytes]);
});

test('a large file that is damaged in the store is named by its path, and there is no map', async () => {
  const store = newStore();
  const root = await storeFiles(store, { folder: { 'large.bin': files.b }, other: files.a });
  const hex = rawDigestOf(files.b).toString('hex');
  const path = `${store.layout.objects}/${hex.slice(0, 2)}/${hex.slice(2)}`;
  store.files.chmodSync(path, 0o644);
  const fd = store.files.openSync(path, 'r+');
  store.files.writeSync(fd, Buffer.from('x'), 0, 1, 5 * MIB);
  // As if nobody had written to it.
  store.files.futimesSync(fd, SEAL_SECONDS, SEAL_SECONDS);
  store.files.closeSync(fd);
  const storage = memoryStorage();
  await expect(pushRoots({ remote: open(storage), store, roots: [{ root }] })).rejects.toMatchObject({
    code: 'ERR_OBJECT_DAMAGED',
    message: expect.stringContaining('folder/large.bin'),
  });
  expect([...storage.objects.keys()].filter((key) => key.includes('/maps/'))).toEqual([]);
});
