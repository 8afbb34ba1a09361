import { randomBytes } from 'node:crypto';
import { hexOf, rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { decodeNode, SPLIT, type TreeNode } from '../model/tree.js';
import type { Store } from '../store/store.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { type Files, randomFiles, storeFiles, temporaryStore } from '../testing/store-files.js';
import { quietNote } from './gc/quiet-note.js';
import { pushRoots } from './push.js';
import { openRemote } from './remote.js';
import { counting, type RequestCounts } from './storage/counting.js';
import type { Storage } from './storage/port.js';
import type { PushCounts } from './tally.js';

/** What one push of one root asks for and writes. Each push is a process of its own: the remote is opened anew. */
interface Pushed extends PushCounts {
  readonly requests: RequestCounts;
  readonly reads: number;
}

async function pushCounted(store: Store, storage: Storage, root: OutRoot): Promise<Pushed> {
  const counted = counting(storage);
  const counts = await pushRoots({
    remote: openRemote({
      storage: counted,
      area: 'shared',
      seen: 'have',
      quiet: quietNote(store, storage.description),
    }),
    store,
    roots: [{ root }],
  });
  return { ...counts, requests: counted.requests, reads: counted.requests.get + counted.requests.head };
}

const inStore = async (work: (store: Store) => Promise<void>): Promise<void> => {
  const { store, remove } = temporaryStore();
  try {
    await work(store);
  } finally {
    remove();
  }
};

const folders = (count: number, files: number, bytes: number): Record<string, Files> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`folder${i}`, randomFiles(files, bytes)]));

const emptyRemote = (): ReturnType<typeof memoryStorage> => {
  const storage = memoryStorage();
  storage.objects.set('format' as never, Buffer.from('{"version":1}\n'));
  return storage;
};

describe('70,000 files of 275 bytes in 10 folders', () => {
  test('are sent with at most 12 puts; then again with 2 reads; one that changes costs 2 reads, 3 puts and little', async () => {
    await inStore(async (store) => {
      const storage = emptyRemote();
      const files = folders(10, 7000, 275);
      const first = await storeFiles(store, files);
      const sent = await pushCounted(store, storage, first);
      expect(sent.files).toEqual({ sent: 70_000, reused: 0 });
      expect(sent.requests.put).toBeLessThanOrEqual(12);

      const again = await pushCounted(store, storage, first);
      expect(again.files).toEqual({ sent: 0, reused: 70_000 });
      expect(again.requests).toMatchObject({ put: 0, list: 0 });
      expect(again.reads).toBeLessThanOrEqual(2);

      let root = first;
      // Later too, when the maps of many versions are behind the one that is written. These names lie in parts of about 512 entries.
      for (let version = 0; version < 4; version++) {
        const folder = `folder${version % 10}`;
        files[folder] = { ...files[folder], [`f${500 + version * 100}`]: randomBytes(275) };
        root = await storeFiles(store, files);
        const before = bytesOn(storage);
        const changed = await pushCounted(store, storage, root);
        expect(changed.files).toEqual({ sent: 1, reused: 69_999 });
        expect(changed.bytes.sent).toBe(275);
        expect(bytesOn(storage) - before - 275).toBeLessThanOrEqual(64 * 1024);
        expect(changed.requests).toMatchObject({ put: 3, list: 0, delete: 0 });
        expect(changed.reads).toBe(2);
      }
    });
  }, 120_000);
});

describe('70,000 files in one folder', () => {
  const name = (i: number): string => `sample-${String(i).padStart(6, '0')}.json`;
  const names = Array.from({ length: 70_000 }, (_, i) => name(i));

  /** The names of each part, as the tree is split. */
  function partsOf(store: Store, root: OutRoot): readonly (readonly string[])[] {
    const node = (raw: Buffer): TreeNode => decodeNode(store.reader.read('tree', raw), 'test');
    const top = node(rawOf(root.digest));
    expect(top.shape).toBe(SPLIT);
    return top.names.map((_, i) => node(Buffer.from(top.digests.subarray(i * 32, (i + 1) * 32))).names);
  }

  test('one that changes costs at most 64 KiB of bookkeeping, 3 puts and 2 reads, in whatever part it lies', async () => {
    await inStore(async (store) => {
      const storage = emptyRemote();
      const files: Record<string, Buffer> = Object.fromEntries(names.map((file) => [file, randomBytes(275)]));
      const first = await storeFiles(store, files);
      await pushCounted(store, storage, first);
      const pushChanged = async (changed: string): Promise<void> => {
        files[changed] = randomBytes(276);
        const root = await storeFiles(store, files);
        const before = bytesOn(storage);
        const pushed = await pushCounted(store, storage, root);
        expect(pushed.files).toEqual({ sent: 1, reused: 69_999 });
        expect(bytesOn(storage) - before - pushed.bytes.sent).toBeLessThanOrEqual(64 * 1024);
        expect(pushed.requests).toMatchObject({ put: 3, list: 0, delete: 0 });
        expect(pushed.reads).toBe(2);
      };
      const parts = [...partsOf(store, first)].sort((a, b) => b.length - a.length);
      const [longest = []] = parts;
      expect(longest).toHaveLength(2048);
      const positions = [0, 1, parts.length >> 1, parts.length - 1].map((i) => parts[i]?.[0] ?? '');
      for (const changed of [...positions, longest.at(-1) ?? '']) {
        const content = files[changed] ?? Buffer.alloc(0);
        await pushChanged(changed);
        // Each is a change of the first version.
        files[changed] = content;
      }
      // And many, one after another.
      for (let i = 0; i < 3; i++) await pushChanged(longest[i * 600] ?? '');
    });
  }, 240_000);
});

test('20,000 files of 10 KiB are sent with at most 20 puts', async () => {
  await inStore(async (store) => {
    const storage = emptyRemote();
    const sent = await pushCounted(store, storage, await storeFiles(store, folders(100, 200, 10_240)));
    expect(sent.bytes.sent).toBe(204_800_000);
    expect(sent.requests.put).toBeLessThanOrEqual(20);
  });
}, 120_000);

describe('a root that was sent without the question whether it is there', () => {
  const files: Files = { a: randomFiles(40, 100), b: randomFiles(40, 100) };
  const more: Files = { ...files, c: randomBytes(10) };

  test('is asked for the next time, also if somebody else had sent it first', async () => {
    await inStore(async (elsewhere) => {
      await inStore(async (store) => {
        const storage = emptyRemote();
        await pushCounted(store, storage, await storeFiles(store, files));
        await pushCounted(elsewhere, storage, await storeFiles(elsewhere, more));
        const root = await storeFiles(store, more);
        expect((await pushCounted(store, storage, root)).reads).toBe(3);
        expect(await pushCounted(store, storage, root)).toMatchObject({ reads: 2, requests: { put: 0 } });
      });
    });
  });

  test('replaces a map that is damaged', async () => {
    await inStore(async (store) => {
      const storage = emptyRemote();
      await pushCounted(store, storage, await storeFiles(store, files));
      const root = await storeFiles(store, more);
      const hex = hexOf(root.digest);
      const key = `shared/maps/${hex.slice(0, 2)}/${hex.slice(2)}.map` as never;
      storage.objects.set(key, Buffer.from('SLMP'));
      await pushCounted(store, storage, root);
      expect(storage.objects.get(key)?.length).toBeGreaterThan(156);
    });
  });
});

function bytesOn({ objects }: ReturnType<typeof memoryStorage>): number {
  return [...objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}
