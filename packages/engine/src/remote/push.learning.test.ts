import { randomBytes } from 'node:crypto';
import { expectWhole } from '../testing/encoded-remote.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { openShared, push } from '../testing/pushing.js';
import { type Files, randomFiles, storeFiles, useStores } from '../testing/store-files.js';
import { pushRoots } from './push.js';
import { counting } from './storage/counting.js';

const newStore = useStores();

describe('what another clone has pushed', () => {
  const folders = (): Record<string, Files> =>
    Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`folder${i}`, { ...randomFiles(50, 80), few: randomFiles(5, 80) }]),
    );

  test('is learnt from the version before, and only once', async () => {
    const storage = memoryStorage();
    const elsewhere = newStore();
    const files = folders();
    const versions = [await storeFiles(elsewhere, files)];
    versions.unshift(await storeFiles(elsewhere, { ...files, second: randomFiles(50, 10) }));
    for (const root of [...versions].reverse()) await push(elsewhere, storage, root);
    const store = newStore();
    const after = { ...files, second: randomFiles(3, 10) };
    const root = await storeFiles(store, after);
    const counted = counting(storage);
    const pushed = await pushRoots({ remote: openShared(counted), store, roots: [{ root, previous: versions }] });
    expect(pushed.files).toEqual({ sent: 3, reused: 8 * 55 });
    await expectWhole(storage, root, after);
    const again = { ...after, third: randomBytes(4) };
    const next = await storeFiles(store, again);
    const before = counted.requests.get;
    await pushRoots({ remote: openShared(counted), store, roots: [{ root: next, previous: [root, ...versions] }] });
    // The format, the map that what did not change lies in, and what a collection is about to delete.
    expect(counted.requests.get - before).toBe(3);
    await expectWhole(storage, next, again);
  });

  test('is learnt without its trees being here', async () => {
    const storage = memoryStorage();
    const elsewhere = newStore();
    const files = folders();
    const known = await storeFiles(elsewhere, files);
    await push(elsewhere, storage, known);
    const store = newStore();
    const renamed = { here: files.folder3 ?? {}, there: files.folder5 ?? {}, own: randomFiles(2, 300_000) };
    const root = await storeFiles(store, renamed);
    const pushed = await pushRoots({ remote: openShared(storage), store, roots: [{ root }], known: [known] });
    expect(pushed.files).toEqual({ sent: 2, reused: 110 });
    await expectWhole(storage, root, renamed);
  });

  test('is not asked for where that costs more than sending', async () => {
    const storage = memoryStorage();
    const elsewhere = newStore();
    const known = await storeFiles(elsewhere, folders());
    await push(elsewhere, storage, known);
    const store = newStore();
    const counted = counting(storage);
    const root = await storeFiles(store, { small: randomBytes(10) });
    await pushRoots({ remote: openShared(counted), store, roots: [{ root }], known: [known] });
    expect(counted.requests.get).toBe(4);
  });

  test('a large file is seen by its key alone', async () => {
    const storage = memoryStorage();
    const large = randomBytes(9 * 1024 * 1024);
    const [elsewhere, store] = [newStore(), newStore()];
    await push(elsewhere, storage, await storeFiles(elsewhere, { large }));
    const files = { 'renamed.bin': large, a: randomBytes(5) };
    const root = await storeFiles(store, files);
    expect((await push(store, storage, root, { dryRun: true })).files).toEqual({ sent: 1, reused: 1 });
    expect((await push(store, storage, root)).files).toEqual({ sent: 1, reused: 1 });
    await expectWhole(storage, root, files);
  });
});
