import { randomBytes } from 'node:crypto';
import { digestFromRaw, hexOf, rawDigestOf } from '../model/digest.js';
import { SLICE_BYTES } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import { byteCounting } from '../testing/byte-counting.js';
import { CHUNKING, pushEncoded } from '../testing/encoded-remote.js';
import { faulty } from '../testing/faulty-storage.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { type Files, randomFiles, storeFile, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import { pushRoots } from './push.js';
import { readRemoteBlob } from './read-blob.js';
import { openRemote, type Remote } from './remote.js';
import type { Storage } from './storage/port.js';

const newStore = useStores();

const open = (storage: Storage, area: 'shared' | 'trusted' = 'shared'): Remote => openRemote({ storage, area });
const LARGE = randomBytes(40 * SLICE_BYTES + 12_345);

interface Asked {
  readonly root: OutRoot;
  readonly path: string;
  readonly content: Buffer;
  readonly from?: number;
  readonly to?: number;
}

/** Reads from a store that has nothing. */
async function read(storage: Storage, { root, path, content, from = 0, to = content.length }: Asked): Promise<Buffer> {
  const wanted = { root, path, raw: rawDigestOf(content), size: content.length, from, to };
  const chunks: Buffer[] = [];
  for await (const chunk of readRemoteBlob({ remote: open(storage), reader: newStore().reader }, wanted)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function pushed(files: Files, storage = memoryStorage()): Promise<{ root: OutRoot; storage: typeof storage }> {
  const store = newStore();
  const root = await storeFiles(store, files);
  await pushRoots({ remote: open(storage), store, roots: [{ root }] });
  return { root, storage };
}

test('a MiB out of a large file moves at most 2.2 MiB, trees and map included', async () => {
  const { root, storage } = await pushed({
    deep: { ...randomFiles(300, 50), 'large.bin': LARGE },
    ...randomFiles(50, 5),
  });
  const at = { root, path: 'deep/large.bin', content: LARGE };
  for (const from of [0, SLICE_BYTES, 5 * SLICE_BYTES + 700_001, LARGE.length - SLICE_BYTES]) {
    const counted = byteCounting(storage);
    const part = await read(counted, { ...at, from, to: from + SLICE_BYTES });
    expect(part.equals(LARGE.subarray(from, from + SLICE_BYTES))).toBe(true);
    expect(counted.bytes()).toBeLessThanOrEqual(2.2 * SLICE_BYTES);
  }
});

test('what a range costs besides its slices does not grow with the file', async () => {
  const content = LARGE;
  const store = newStore();
  const root = await storeFile(store, content);
  const storage = memoryStorage();
  await pushRoots({ remote: open(storage), store, roots: [{ root }] });
  const counted = byteCounting(storage);
  await read(counted, { root, path: '', content, from: 30 * SLICE_BYTES + 1, to: 30 * SLICE_BYTES + 2 });
  // One slice, and besides it what does not grow with the file: the format, the front of the map, the slice's digest.
  expect(counted.bytes() - SLICE_BYTES).toBeLessThan(0.05 * SLICE_BYTES);
  expect(counted.gets()).toBeLessThanOrEqual(5);
});

test('a whole file comes slice by slice, and a small one out of its pack', async () => {
  const small = randomBytes(70_000);
  const { root, storage } = await pushed({ a: small, 'large.bin': LARGE, 'empty.bin': Buffer.alloc(0) });
  expect((await read(storage, { root, path: 'large.bin', content: LARGE })).equals(LARGE)).toBe(true);
  expect((await read(storage, { root, path: 'a', content: small })).equals(small)).toBe(true);
  const part = await read(storage, { root, path: 'a', content: small, from: 100, to: 200 });
  expect(part.equals(small.subarray(100, 200))).toBe(true);
  const text = Buffer.from('the same line again and again\n'.repeat(5000));
  const packed = await pushed({ 'a.txt': text });
  const line = await read(packed.storage, { root: packed.root, path: 'a.txt', content: text, from: 30, to: 59 });
  expect(line.toString()).toBe('the same line again and again');
  expect(await read(storage, { root, path: 'empty.bin', content: Buffer.alloc(0) })).toHaveLength(0);
});

test('of a file in chunks only those are read that the range touches', async () => {
  const storage = memoryStorage();
  const store = newStore();
  const root = await storeFiles(store, { deep: { 'large.bin': LARGE } });
  await pushEncoded(store, storage, root, CHUNKING);
  const asked = { root, path: 'deep/large.bin', content: LARGE };
  expect((await read(storage, asked)).equals(LARGE)).toBe(true);
  for (const from of [0, 17 * SLICE_BYTES + 5, LARGE.length - 1000]) {
    const counted = byteCounting(storage);
    expect((await read(counted, { ...asked, from, to: from + 1000 })).equals(LARGE.subarray(from, from + 1000))).toBe(
      true,
    );
    expect(counted.bytes()).toBeLessThan(LARGE.length / 3);
  }
  const bad = faulty(storage);
  bad.inject('get', { kind: 'flip', at: 500 }, /packs/);
  bad.inject('get', { kind: 'flip', at: 500 }, /packs/);
  await expect(read(bad, { ...asked, from: SLICE_BYTES, to: SLICE_BYTES + 10 })).rejects.toMatchObject({
    code: 'ERR_OBJECT_DAMAGED',
  });
});

test('damage in a range is found before it is given, short answers too', async () => {
  const { root, storage } = await pushed({ a: randomBytes(70_000), 'large.bin': LARGE });
  const key = `blobs/${hexOf(digestFromRaw(rawDigestOf(LARGE))).slice(0, 2)}`;
  const from = 10 * SLICE_BYTES;
  for (const fault of [
    { kind: 'flip', at: 5 },
    { kind: 'short', bytes: 1000 },
  ] as const) {
    const bad = faulty(storage);
    bad.inject('get', fault, new RegExp(key));
    const asked = { root, path: 'large.bin', content: LARGE, from, to: from + 10 };
    await expect(read(bad, asked)).rejects.toMatchObject({ code: 'ERR_OBJECT_DAMAGED' });
    bad.assertAllHit();
  }
  const gone = faulty(storage);
  gone.inject('get', { kind: 'missing' }, new RegExp(key));
  await expect(read(gone, { root, path: 'large.bin', content: LARGE })).rejects.toMatchObject({
    code: 'ERR_OBJECT_MISSING',
  });
});

test('a damaged copy in one area is left for that of the next', async () => {
  const { root, storage } = await pushed({ 'large.bin': LARGE });
  const store = newStore();
  await storeFiles(store, { 'large.bin': LARGE });
  await pushRoots({ remote: open(storage, 'trusted'), store, roots: [{ root }] });
  const bad = faulty(storage);
  // The second window of four slices of the writer's own copy.
  bad.inject('get', { kind: 'gate', opened: Promise.resolve() }, /^shared\/blobs/);
  bad.inject('get', { kind: 'flip', at: 99 }, /^shared\/blobs/);
  expect((await read(bad, { root, path: 'large.bin', content: LARGE })).equals(LARGE)).toBe(true);
  bad.assertAllHit();
});

test('who stops reading stops the requests', async () => {
  const { root, storage } = await pushed({ 'large.bin': LARGE });
  const counted = byteCounting(storage);
  const wanted = { root, path: 'large.bin', raw: rawDigestOf(LARGE), size: LARGE.length, from: 0, to: LARGE.length };
  for await (const _ of readRemoteBlob({ remote: open(counted), reader: newStore().reader }, wanted)) break;
  expect(counted.bytes()).toBeLessThan(20 * SLICE_BYTES);
});

test('a root or path that is not there is not local', async () => {
  const { root, storage } = await pushed({ a: randomBytes(10) });
  const other = { ...root, digest: digestFromRaw(rawDigestOf(Buffer.from('other'))) };
  const content = randomBytes(10);
  await expect(read(storage, { root: other, path: 'a', content })).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
  await expect(read(storage, { root, path: 'b', content })).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
  await expect(read(memoryStorage(), { root, path: 'a', content })).rejects.toMatchObject({ code: 'ERR_NOT_LOCAL' });
});

/** 100,000 names of 15 bytes; all files have the same bytes, since only trees are looked at. */
function manyFiles(directories: number): Files {
  const content = Buffer.from('x');
  const directory = (from: number, count: number): Files =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`img_${String(from + i).padStart(6, '0')}.jpeg`, content]),
    );
  if (directories === 1) return directory(0, 100_000);
  const each = 100_000 / directories;
  return Object.fromEntries(Array.from({ length: directories }, (_, i) => [`d${i}`, directory(i * each, each)]));
}

test.each([1, 1000])('the trees of 100,000 files in %d directories move under 6 MB', async (directories) => {
  const storage = memoryStorage();
  // Another root lies in the same remote; nothing of it is read.
  await pushed({ other: randomFiles(2000, 20) }, storage);
  const { root } = await pushed(manyFiles(directories), storage);
  const fresh = newStore();
  const counted = byteCounting(storage);
  const fetched = await fetchRoots({ remote: open(counted), store: fresh, wants: [{ root }], treesOnly: true });
  expect(fetched.files).toEqual({ received: 0, reused: 0 });
  expect(counted.bytes()).toBeLessThan(6_000_000);
  expect(counted.gets()).toBeLessThan(25);
});
