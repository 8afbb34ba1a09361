import { randomBytes } from 'node:crypto';
import { expectWhole } from '../testing/encoded-remote.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { keysOf, openShared, push } from '../testing/pushing.js';
import { type Files, storeFiles, useStores } from '../testing/store-files.js';
import { pushRoots } from './push.js';

const newStore = useStores();

/** Ten and seven files of which five are the same: 695,311 and 417,076 bytes, 256,725 of them shared. */
const shared = [60_000, 50_000, 40_000, 60_000, 46_725].map((bytes) => randomBytes(bytes));
const named = (contents: readonly Buffer[]): Files =>
  Object.fromEntries(contents.map((content, i) => [`${String.fromCharCode(97 + i)}.csv`, content]));
const people = named([...shared, ...[100_000, 90_000, 80_000, 70_000, 98_586].map((bytes) => randomBytes(bytes))]);
const famous = named([...shared, randomBytes(80_000), randomBytes(80_351)]);

describe('counts', () => {
  const first = {
    files: { sent: 10, reused: 0 },
    objects: { sent: 11, reused: 0 },
    bytes: { sent: 695_311, reused: 0 },
  };
  const second = {
    files: { sent: 2, reused: 5 },
    objects: { sent: 3, reused: 5 },
    bytes: { sent: 160_351, reused: 256_725 },
  };
  const third = { files: { sent: 0, reused: 7 }, objects: { sent: 0, reused: 8 }, bytes: { sent: 0, reused: 417_076 } };

  test('two datasets that share five files: the second push sends two, the third nothing', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const peopleRoot = await storeFiles(store, people);
    const famousRoot = await storeFiles(store, famous);
    expect(await push(store, storage, peopleRoot)).toEqual(first);
    expect(await push(store, storage, famousRoot)).toEqual(second);
    expect(await push(store, storage, famousRoot)).toEqual(third);
    await expectWhole(storage, peopleRoot, people);
    await expectWhole(storage, famousRoot, famous);
  });

  test('the same when another clone did the first push', async () => {
    const storage = memoryStorage();
    const elsewhere = newStore();
    const peopleRoot = await storeFiles(elsewhere, people);
    await push(elsewhere, storage, peopleRoot);
    const store = newStore();
    const famousRoot = await storeFiles(store, famous);
    expect(await push(store, storage, famousRoot, { known: [peopleRoot] })).toEqual(second);
    await expectWhole(storage, famousRoot, famous);
  });

  test('a dry run counts the same and changes nothing', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const peopleRoot = await storeFiles(store, people);
    const famousRoot = await storeFiles(store, famous);
    expect(await push(store, storage, peopleRoot, { dryRun: true })).toEqual(first);
    expect(storage.objects.size).toBe(0);
    await push(store, storage, peopleRoot);
    const before = [...storage.objects.keys()];
    expect(await push(store, storage, famousRoot, { dryRun: true })).toEqual(second);
    expect([...storage.objects.keys()]).toEqual(before);
  });

  test('both in one push: what they share is sent once', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const roots = [{ root: await storeFiles(store, people) }, { root: await storeFiles(store, famous) }];
    const result = await pushRoots({ remote: openShared(storage), store, roots });
    expect(result).toMatchObject({ objects: { sent: 14 }, bytes: { sent: 855_662 } });
    expect(result.files).toEqual({ sent: 17, reused: 0 });
    expect(keysOf(storage, 'packs')).toHaveLength(2);
  });

  test('a file counts as sent when its blob was sent, twins too; the blob counts once', async () => {
    const twin = randomBytes(1000);
    const store = newStore();
    const root = await storeFiles(store, { a: twin, b: twin, c: { d: twin } });
    expect(await push(store, memoryStorage(), root)).toEqual({
      files: { sent: 3, reused: 0 },
      objects: { sent: 3, reused: 0 },
      bytes: { sent: 1000, reused: 0 },
    });
  });
});

test('progress ends at exactly its totals', async () => {
  const store = newStore();
  const root = await storeFiles(store, people);
  let [files, bytes] = [0, 0];
  await push(store, memoryStorage(), root, {
    beginProgress: (totalFiles, totalBytes) => {
      expect([totalFiles, totalBytes]).toEqual([10, 695_311]);
      return (moreFiles, moreBytes) => {
        files += moreFiles;
        bytes += moreBytes;
      };
    },
  });
  expect([files, bytes]).toEqual([10, 695_311]);
});

test('several roots have one total, which counts those that are to be sent', async () => {
  const store = newStore();
  const [first, second, third] = [
    await storeFiles(store, people),
    await storeFiles(store, { ...people, more: Buffer.from('more') }),
    await storeFiles(store, { other: Buffer.from('other') }),
  ];
  const storage = memoryStorage();
  await push(store, storage, third);
  const told: (readonly [number, number])[] = [];
  let [files, bytes] = [0, 0];
  await pushRoots({
    remote: openShared(storage),
    store,
    roots: [first, second, third].map((root) => ({ root })),
    beginProgress: (totalFiles, totalBytes) => {
      told.push([totalFiles, totalBytes]);
      return (moreFiles, moreBytes) => {
        files += moreFiles;
        bytes += moreBytes;
      };
    },
  });
  expect(told).toEqual([[21, 2 * 695_311 + 4]]);
  expect([[files, bytes]]).toEqual(told);
});
