import fs from 'node:fs';
import { join } from 'node:path';
import { digestFromRaw, hexOf, rawDigestOf, rawOf } from '../model/digest.js';
import { storeBlob, storeTree } from '../testing/store-tree.js';
import { useTempDir } from '../testing/temp-dir.js';
import { completeness } from './complete.js';
import { realFiles } from './files.js';
import { type Ingestor, StoreMoved } from './ingest.js';
import { LOOSE_BYTES, looseName, PACK_TARGET_BYTES } from './layout.js';
import { listNames } from './lease.js';
import { SEAL_SECONDS } from './loose.js';
import { storeStat } from './stat.js';
import { openStore, type Store } from './store.js';

const temp = useTempDir();
let store: Store;
beforeEach(() => {
  store = open();
});
afterEach(() => store.close());

function open(): Store {
  return openStore({ dir: temp('store'), durability: 'none' });
}

function names(dir: string): string[] {
  return listNames(realFiles, dir).flatMap((name) => {
    const path = join(dir, name);
    return fs.statSync(path).isDirectory() ? names(path) : [path];
  });
}

/** Adds blobs from real files, as a commit does; returns which were new. */
async function addFiles(contents: readonly Buffer[], packed: boolean): Promise<(boolean | undefined)[]> {
  return store.write((session) => {
    const ingestor = session.ingestor(packed);
    const fresh = contents.map((content) => addFile(ingestor, content, content.length));
    session.publish([ingestor.finish()]);
    return fresh;
  });
}

function addFile(ingestor: Ingestor, content: Buffer, size: number, unchanged = true): boolean | undefined {
  const path = temp('file');
  fs.writeFileSync(path, content);
  const fd = fs.openSync(path, 'r');
  try {
    const raw = Buffer.alloc(40, 0xee);
    const result = ingestor.addFile(fd, size, raw, 4, () => unchanged);
    if (result !== undefined) expect(raw.subarray(4, 36).equals(rawDigestOf(content))).toBe(true);
    expect([raw[3], raw[36]]).toEqual([0xee, 0xee]);
    return result;
  } finally {
    fs.closeSync(fd);
  }
}

function read(content: Buffer, from = store): Buffer {
  return Buffer.from(from.reader.read('blob', rawDigestOf(content)));
}

/** Sizes around every limit, and around the buffers of the code. */
const SIZES = [0, 1, 100, LOOSE_BYTES - 1, LOOSE_BYTES, LOOSE_BYTES + 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000];

describe.each([true, false])('packed: %s', (packed) => {
  test('what is written is read, by this and by another reader', async () => {
    const contents = SIZES.map((size) => Buffer.alloc(size, `${size} `));
    expect(await addFiles(contents, packed)).toEqual(contents.map(() => true));
    const other = open();
    for (const content of contents) {
      expect(read(content).equals(content)).toBe(true);
      expect(read(content, other).equals(content)).toBe(true);
      expect(other.reader.size('blob', rawDigestOf(content))).toBe(content.length);
      const chunks: Buffer[] = [];
      other.reader.stream(
        rawDigestOf(content),
        0,
        (chunk) => chunks.push(Buffer.from(chunk)),
        () => chunks.splice(0),
      );
      expect(Buffer.concat(chunks).equals(content)).toBe(true);
      // Large blobs can be linked, whatever the others do.
      expect(other.reader.linkable(rawDigestOf(content)) !== undefined).toBe(!packed || content.length >= LOOSE_BYTES);
    }
    expect(() => other.reader.read('tree', rawDigestOf(Buffer.alloc(0)))).toThrow(
      expect.objectContaining({ code: 'ERR_OBJECT_MISSING' }),
    );
    other.close();
  });

  test('nothing is written twice', async () => {
    const contents = SIZES.map((size) => Buffer.alloc(size, `${size} `));
    expect(await addFiles([...contents, ...contents], packed)).toEqual(
      [...contents, ...contents].map((_, i) => i < contents.length),
    );
    const before = names(store.layout.dir).length;
    expect(await addFiles(contents, !packed)).toEqual(contents.map(() => false));
    expect(names(store.layout.dir)).toHaveLength(before);
    expect(storeStat(store)).toMatchObject({ objects: SIZES.length, blobs: SIZES.length, trees: 0 });
  });

  test('a file that is not as long as it was, or moved meanwhile, is not taken', async () => {
    for (const size of [100, LOOSE_BYTES]) {
      const content = Buffer.alloc(size, 'x');
      await store.write((session) => {
        const ingestor = session.ingestor(packed);
        expect(addFile(ingestor, content, size - 1)).toBeUndefined();
        expect(addFile(ingestor, content, size + 1)).toBeUndefined();
        expect(addFile(ingestor, content, size, false)).toBeUndefined();
        session.publish([ingestor.finish()]);
      });
    }
    expect(storeStat(store).objects).toBe(0);
    expect(names(store.layout.objects)).toEqual([]);
  });

  test('what is not published is not there, and leaves nothing', async () => {
    const content = Buffer.alloc(LOOSE_BYTES, 'x');
    const failure = store.write((session) => {
      const ingestor = session.ingestor(packed);
      addFile(ingestor, content, content.length);
      ingestor.addBytes('blob', Buffer.from('small'), rawDigestOf(Buffer.from('small')), 0);
      ingestor.finish();
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(names(store.layout.dir)).toEqual([store.layout.version]);
  });
});

test('packs end at their target size', async () => {
  const half = Buffer.alloc(60_000);
  const count = Math.ceil((PACK_TARGET_BYTES * 1.5) / half.length);
  await store.write((session) => {
    const ingestor = session.ingestor(true);
    for (let i = 0; i < count; i++) {
      half.writeUInt32LE(i);
      ingestor.addBytes('blob', half, rawDigestOf(half), 0);
    }
    session.publish([ingestor.finish()]);
  });
  expect(listNames(realFiles, store.layout.packs)).toHaveLength(2);
  half.writeUInt32LE(count - 1);
  expect(read(half).equals(half)).toBe(true);
});

test('loose objects are read-only and sealed; a tree and a blob of the same bytes are two objects', async () => {
  const bytes = Buffer.from('SLT1\0\0\0\0', 'latin1');
  const raw = rawDigestOf(bytes);
  await store.write((session) => {
    const ingestor = session.ingestor(false);
    ingestor.addBytes('tree', bytes, raw, 0);
    ingestor.addBytes('blob', bytes, raw, 0);
    session.publish([ingestor.finish()]);
  });
  for (const kind of ['blob', 'tree'] as const) {
    const stat = fs.statSync(join(store.layout.objects, looseName(kind, hexOf(digestFromRaw(raw)))));
    expect(stat.mode & 0o777).toBe(0o444);
    expect(stat.mtimeMs).toBe(SEAL_SECONDS * 1000);
  }
  expect(storeStat(store)).toMatchObject({ blobs: 1, trees: 1 });
});

test('a writer begins again when a collection moved what it had counted on', async () => {
  for (const packed of [true, false]) {
    await storeBlob(store, `known ${packed}`, packed);
    const raw = rawDigestOf(Buffer.from(`known ${packed}`));
    let attempts = 0;
    await store.write((session) => {
      attempts++;
      const ingestor = session.ingestor(true);
      const fresh = ingestor.addBytes('blob', Buffer.from(`known ${packed}`), raw, 0);
      expect(fresh).toBe(attempts > 1);
      if (attempts === 1) {
        fs.rmSync(store.layout.packs, { recursive: true, force: true });
        fs.rmSync(store.layout.objects, { recursive: true, force: true });
      }
      session.publish([ingestor.finish()]);
    });
    expect(attempts).toBe(2);
    expect(read(Buffer.from(`known ${packed}`)).toString()).toBe(`known ${packed}`);
  }
});

test('a store in which everything keeps moving is given up after some attempts', async () => {
  let attempts = 0;
  const failure = store.write(() => {
    attempts++;
    throw new StoreMoved();
  });
  await expect(failure).rejects.toMatchObject({ code: 'ERR_HELD' });
  expect(attempts).toBeLessThan(20);
});

test('tells how much of a root is there', async () => {
  const root = await storeTree(store, { a: 'a', 'd/b': 'b', 'd/e/c': 'c' });
  const fresh = open();
  expect(completeness(fresh.reader, root)).toBe('complete');
  fs.rmSync(join(store.layout.objects, looseName('blob', hexOf(digestFromRaw(rawDigestOf(Buffer.from('b')))))));
  expect(completeness(fresh.reader, root)).toBe('partial');
  expect(completeness(fresh.reader, root, (path) => path !== 'd/b')).toBe('complete');
  expect(completeness(fresh.reader, root, (path) => path === 'd/b')).toBe('partial');
  fs.rmSync(join(store.layout.objects, looseName('tree', hexOf(root.digest))));
  expect(completeness(fresh.reader, root)).toBe('absent');
  fresh.close();
});

test('a store of a newer Sluice is not touched', () => {
  fs.writeFileSync(store.layout.version, '2\n');
  expect(open).toThrow(expect.objectContaining({ code: 'ERR_FORMAT_VERSION' }));
  expect(fs.readFileSync(store.layout.version, 'utf8')).toBe('2\n');
});

test('a place where no store can be made is an error', () => {
  fs.writeFileSync(temp('file'), '');
  expect(() => openStore({ dir: temp('file', 'store') })).toThrow(
    expect.objectContaining({ code: 'ERR_STORE_UNWRITABLE' }),
  );
  expect(listNames(realFiles, temp())).toEqual(['file', 'store']);
});

test('with durability the result is the same', async () => {
  const durable = openStore({ dir: temp('durable'), durability: 'batch' });
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`d${i}/f`, `content ${i}`]));
  expect(await storeTree(durable, files, false)).toEqual(await storeTree(store, files, true));
  expect(storeStat(durable)).toEqual(storeStat(store));
  durable.close();
});

test('many questions for blobs get the answers of single ones', async () => {
  const loose = await storeBlob(store, 'loose');
  const packed = await storeBlob(store, 'packed', true);
  store.reader.catalog.refresh();
  const has = store.reader.catalog.manyBlobs();
  const raw = rawOf(loose.digest);
  // Lies where the other one does, and is not there.
  const absent = Buffer.from(raw);
  absent.writeUInt8(absent.readUInt8(9) ^ 1, 9);
  for (let i = 0; i < 40; i++) {
    expect([has(raw, 0), has(absent, 0), has(rawOf(packed.digest), 0)]).toEqual([true, false, true]);
  }
  expect(has(rawDigestOf(Buffer.from('never')), 0)).toBe(false);
});
