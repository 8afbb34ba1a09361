import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { rawDigestOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { collect } from '../store/gc/collect.js';
import { salvageLeftovers } from '../store/salvage-leftovers.js';
import { beginSession } from '../store/session.js';
import type { Store } from '../store/store.js';
import { STALE_TRANSFER_MS } from '../store/transfers.js';
import { CHUNKING, pushEncoded } from '../testing/encoded-remote.js';
import { testRoots } from '../testing/gc-roots.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { flat, randomFiles, readFiles, storeFile, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import { pushRoots } from './push.js';
import { openRemote } from './remote.js';
import { counting } from './storage/counting.js';
import type { ByteRange, Storage } from './storage/port.js';

const MIB = 1024 * 1024;

const newStore = useStores();

const fetch = (store: Store, storage: Storage, root: OutRoot, signal?: AbortSignal): ReturnType<typeof fetchRoots> =>
  fetchRoots({ remote: openRemote({ storage, area: 'shared' }), store, wants: [{ root }], signal });
const transfers = ({ files, layout }: Store): string[] => files.readdirSync(layout.transfers);

async function pushed(content: Buffer): Promise<{ root: OutRoot; storage: ReturnType<typeof memoryStorage> }> {
  const store = newStore();
  const root = await storeFile(store, content);
  const storage = memoryStorage();
  await pushRoots({ remote: openRemote({ storage, area: 'shared' }), store, roots: [{ root }] });
  return { root, storage };
}

/** Gives ranges of blobs until `many` have been given, then does something else. Notes which ranges were given. */
function failingAfter(inner: Storage, many: number, fail: () => Promise<never>): Storage & { given: ByteRange[] } {
  const given: ByteRange[] = [];
  return {
    ...inner,
    given,
    get: async (key, range, options) => {
      if (!key.includes('/blobs/')) return inner.get(key, range, options);
      if (given.length >= many) return fail();
      given.push(range);
      return inner.get(key, range, options);
    },
  };
}

describe('a large file in chunks', () => {
  const content = randomBytes(40 * MIB + 12_345);

  /** Gives ranges of packs of blobs until so many bytes have been given, and breaks then. */
  function breaking(inner: Storage, after: number): Storage & { bytes: number } {
    const storage = {
      ...inner,
      bytes: 0,
      get: async (...args: Parameters<Storage['get']>) => {
        const isData = args[0].includes('/packs/') && args[1].length > MIB;
        if (isData && storage.bytes >= after) throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
        const bytes = await inner.get(...args);
        if (isData) storage.bytes += bytes?.length ?? 0;
        return bytes;
      },
    };
    return storage;
  }

  test.each<[string, (store: Store, path: string) => void, number]>([
    ['goes on where it ended', () => {}, 0],
    ['asks again for chunks that were spoilt', ({ files }, path) => write(files, path, Buffer.alloc(3, 1), 5 * MIB), 1],
    [
      'takes no notice of what is behind the end',
      ({ files }, path) => write(files, path, Buffer.alloc(9), 41 * MIB),
      0,
    ],
  ])('%s', async (_, spoil, spoilt) => {
    const sender = newStore();
    const root = await storeFile(sender, content);
    const storage = memoryStorage();
    await pushEncoded(sender, storage, root, CHUNKING);
    const store = newStore();
    const first = breaking(storage, 15 * MIB);
    await expect(fetch(store, first, root)).rejects.toThrow('cut');
    expect(transfers(store)).toHaveLength(1);
    spoil(store, join(store.layout.transfers, transfers(store)[0] ?? ''));
    const last = breaking(storage, Number.POSITIVE_INFINITY);
    const told: [number, number][] = [];
    await fetchRoots({
      remote: openRemote({ storage: last, area: 'shared' }),
      store,
      wants: [{ root }],
      beginProgress: () => (files, bytes) => told.push([files, bytes]),
    });
    expect(store.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
    expect(transfers(store)).toEqual([]);
    expect(told.reduce(([f, b], [moreF, moreB]) => [f + moreF, b + moreB], [0, 0])).toEqual([1, content.length]);
    // Chunks have half a MiB at most; headers and the gaps between ranges are not content.
    const again = first.bytes + last.bytes - content.length;
    expect(again).toBeLessThan(100_000 + spoilt * MIB);
  });
});

describe('a large file', () => {
  const content = randomBytes(40 * MIB + 12_345);
  const bytesOf = (ranges: readonly ByteRange[]): number => ranges.reduce((sum, { length }) => sum + length, 0);
  const down = (): Promise<never> => Promise.reject(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));

  test('comes in ranges, and of those that came none comes again', async () => {
    const { root, storage } = await pushed(content);
    const store = newStore();
    const first = failingAfter(storage, 3, down);
    await expect(fetch(store, first, root)).rejects.toThrow('cut');
    expect(transfers(store)).toHaveLength(1);
    const second = failingAfter(storage, 1, down);
    await expect(fetch(store, second, root)).rejects.toThrow('cut');
    const last = failingAfter(storage, 99, down);
    expect(await fetch(store, last, root)).toMatchObject({
      files: { received: 1 },
      bytes: { received: content.length },
    });
    expect(bytesOf([...first.given, ...second.given, ...last.given])).toBe(content.length);
    expect(store.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
    expect(transfers(store)).toEqual([]);
  });

  test('progress counts what was here, and ends at exactly its totals', async () => {
    const { root, storage } = await pushed(content);
    const store = newStore();
    await expect(fetch(store, failingAfter(storage, 2, down), root)).rejects.toThrow('cut');
    const told: [number, number][] = [];
    await fetchRoots({
      remote: openRemote({ storage, area: 'shared' }),
      store,
      wants: [{ root }],
      beginProgress: (files, bytes) => {
        expect([files, bytes]).toEqual([1, content.length]);
        return (moreFiles, moreBytes) => told.push([moreFiles, moreBytes]);
      },
    });
    expect(told[0]).toEqual([0, 16 * MIB]);
    expect(told.reduce(([f, b], [moreF, moreB]) => [f + moreF, b + moreB], [0, 0])).toEqual([1, content.length]);
  });

  test('what was left is not believed: bytes that changed, a file that is longer, one that is empty', async () => {
    const { root, storage } = await pushed(content);
    const spoil: ((store: Store, path: string) => void)[] = [
      ({ files }, path) => write(files, path, Buffer.alloc(3, 1), 5 * MIB),
      ({ files }, path) => write(files, path, Buffer.alloc(3, 1), content.length + 100),
      ({ files }, path) => write(files, path, randomBytes(MIB), 33 * MIB),
      ({ files }, path) => files.closeSync(files.openSync(path, 'w')),
    ];
    for (const spoilIt of spoil) {
      const store = newStore();
      await expect(fetch(store, failingAfter(storage, 3, down), root)).rejects.toThrow('cut');
      spoilIt(store, join(store.layout.transfers, transfers(store)[0] ?? ''));
      await fetch(store, storage, root);
      expect(store.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
      expect(transfers(store)).toEqual([]);
    }
  });

  test('two that fetch it at once do not take it from each other', async () => {
    const { root, storage } = await pushed(content);
    const store = newStore();
    await Promise.all([fetch(store, storage, root), fetch(store, storage, root)]);
    expect(store.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
  });

  test('a collection deletes what nobody comes back for, and what is here by now', async () => {
    const { root, storage } = await pushed(content);
    const store = newStore();
    await expect(fetch(store, failingAfter(storage, 3, down), root)).rejects.toThrow('cut');
    await collect(store, { roots: testRoots() });
    expect(transfers(store)).toHaveLength(1);
    const long = new Date(Date.now() - STALE_TRANSFER_MS - 1000);
    store.files.utimesSync(join(store.layout.transfers, transfers(store)[0] ?? ''), long, long);
    await collect(store, { roots: testRoots() });
    expect(transfers(store)).toEqual([]);
  });
});

describe('what a killed writer had not published', () => {
  test('is taken from its packs, torn ones too, and from its loose files', async () => {
    const files = { ...randomFiles(200, 1000), large: randomBytes(300_000), other: randomBytes(200_000) };
    const elsewhere = newStore();
    const root = await storeFiles(elsewhere, files);
    const storage = memoryStorage();
    await pushRoots({ remote: openRemote({ storage, area: 'shared' }), store: elsewhere, roots: [{ root }] });
    const store = newStore();
    const session = beginSession(store.files, store.layout, 'none', store.reader.catalog);
    const ingestor = session.ingestor(true);
    for (const [name, content] of Object.entries(files)) {
      const raw = rawDigestOf(content);
      if (name === 'other') continue;
      if (content.length < 64 * 1024) ingestor.addBytes('blob', content, raw, 0);
      else {
        const arriving = ingestor.beginBlob(raw, 0);
        arriving?.write(content);
        arriving?.finish();
      }
    }
    ingestor.finish();
    // As after a kill: the end of the pack was not written, and of a loose file only the beginning.
    const pack = store.files.readdirSync(session.lease.tmpDir).find((name) => name.endsWith('.pack')) ?? '';
    store.files.chmodSync(join(session.lease.tmpDir, pack), 0o644);
    const fd = store.files.openSync(join(session.lease.tmpDir, pack), 'r+');
    store.files.ftruncateSync(fd, 150 * 1044 + 500);
    store.files.closeSync(fd);
    write(store.files, join(session.lease.tmpDir, 'abcdef'), files.other.subarray(0, 100_000), 0);
    store.files.rmSync(session.lease.path);

    const counted = counting(storage);
    const result = await fetch(store, counted, root);
    expect(result.files).toEqual({ received: 51, reused: 151 });
    expect(readFiles(store, root)).toEqual(flat(files));
    expect(store.files.readdirSync(store.layout.tmp)).toEqual([]);
  });

  test('is left alone while the writer lives', async () => {
    const store = newStore();
    await store.write(async (session) => {
      const ingestor = session.ingestor(true);
      const content = randomBytes(100);
      ingestor.addBytes('blob', content, rawDigestOf(content), 0);
      await salvageLeftovers(store);
      session.publish([ingestor.finish()]);
      store.reader.catalog.refresh();
      expect(store.reader.catalog.has('blob', rawDigestOf(content))).toBe(true);
    });
  });
});

function write(files: Store['files'], path: string, bytes: Buffer, at: number): void {
  const fd = files.openSync(path, files.statSync(path, { throwIfNoEntry: false }) === undefined ? 'w' : 'r+');
  files.writeSync(fd, bytes, 0, bytes.length, at);
  files.closeSync(fd);
}
