import fs from 'node:fs';
import { join } from 'node:path';
import { digestFromRaw, hexOf, rawDigestOf } from '../model/digest.js';
import { OBJECT_HEADER_BYTES } from '../model/pack.js';
import { storeBlob } from '../testing/store-tree.js';
import { useTempDir } from '../testing/temp-dir.js';
import { type Files, realFiles } from './files.js';
import { looseName, type ObjectKind } from './layout.js';
import { listNames } from './lease.js';
import { openStore, type Store } from './store.js';
import { moveToTrash, openTrash } from './trash.js';

const temp = useTempDir();
let store: Store;
beforeEach(() => {
  store = open();
});
afterEach(() => store.close());

function open(files: Files = realFiles): Store {
  return openStore({ dir: temp('store'), durability: 'none', files });
}

const SMALL = 'small';
const LARGE = 'large'.repeat(100_000);

function rawOfText(text: string): Buffer {
  return rawDigestOf(Buffer.from(text));
}

function loosePath(text: string, kind: ObjectKind = 'blob'): string {
  return join(store.layout.objects, looseName(kind, hexOf(digestFromRaw(rawOfText(text)))));
}

function read(text: string, from = store): string {
  return from.reader.read('blob', rawOfText(text)).toString();
}

/** Both homes of one object: the loose one first, then a pack. */
async function storeTwice(text: string): Promise<void> {
  await storeBlob(store, text, true);
  const elsewhere = openStore({ dir: temp('elsewhere'), durability: 'none' });
  await storeBlob(elsewhere, text, false);
  elsewhere.close();
  fs.mkdirSync(join(loosePath(text), '..'), { recursive: true });
  fs.renameSync(loosePath(text).replace(temp('store'), temp('elsewhere')), loosePath(text));
  store.reader.catalog.refresh();
}

function edit(path: string, at = 0): void {
  fs.chmodSync(path, 0o644);
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, '#', at);
  fs.closeSync(fd);
}

function packPath(): string {
  return join(store.layout.packs, listNames(realFiles, store.layout.packs)[0] ?? '');
}

test.each([SMALL, LARGE])('a damaged object is set aside and never served', async (text) => {
  await storeBlob(store, text, false);
  edit(loosePath(text));
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_DAMAGED' }));
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_MISSING' }));
  expect(fs.existsSync(loosePath(text))).toBe(false);
  expect(listNames(realFiles, store.layout.damaged)).toHaveLength(1);
  // It comes back with the next commit of the same bytes.
  await storeBlob(store, text, false);
  expect(read(text)).toBe(text);
});

test('an object damaged in its pack is served by nobody, and comes back', async () => {
  await storeBlob(store, SMALL, true);
  edit(packPath(), 8 + OBJECT_HEADER_BYTES);
  expect(() => read(SMALL)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_DAMAGED' }));
  const other = open();
  expect(() => read(SMALL, other)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_MISSING' }));
  expect(other.reader.catalog.has('blob', rawOfText(SMALL))).toBe(false);
  await storeBlob(other, SMALL, true);
  other.reader.catalog.refresh();
  expect(read(SMALL, other)).toBe(SMALL);
  other.close();
});

test('a sound twin is served', async () => {
  await storeTwice(SMALL);
  edit(loosePath(SMALL));
  expect(read(SMALL)).toBe(SMALL);
  expect(fs.existsSync(loosePath(SMALL))).toBe(false);

  await storeTwice(SMALL);
  edit(packPath(), 8 + OBJECT_HEADER_BYTES);
  expect(read(SMALL)).toBe(SMALL);
});

test('a stream begins again with the twin', async () => {
  await storeTwice(LARGE);
  edit(loosePath(LARGE), LARGE.length - 1);
  let text = '';
  let restarts = 0;
  store.reader.stream(
    rawOfText(LARGE),
    0,
    (chunk) => {
      text += chunk.toString();
    },
    () => {
      restarts++;
      text = '';
    },
  );
  expect(text === LARGE).toBe(true);
  expect(restarts).toBe(2);
});

test('a file that cannot be read does not hide its twin', async () => {
  await storeTwice(SMALL);
  const bad = loosePath(SMALL);
  const files = {
    ...realFiles,
    readFileSync: ((path, options) => {
      if (path === bad) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'read' });
      return realFiles.readFileSync(path, options);
    }) as Files['readFileSync'],
  };
  const other = open(files);
  expect(read(SMALL, other)).toBe(SMALL);
  fs.rmSync(store.layout.packs, { recursive: true });
  other.reader.catalog.refresh();
  expect(() => read(SMALL, other)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_DAMAGED' }));
  // It may be readable again tomorrow.
  expect(read(SMALL)).toBe(SMALL);
  other.close();
});

test('a store that cannot be written serves what is sound', async () => {
  await storeTwice(SMALL);
  await storeBlob(store, LARGE);
  edit(loosePath(SMALL));
  fs.utimesSync(loosePath(LARGE), 5, 5);
  const refuse = (): never => {
    throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
  };
  const other = open({ ...realFiles, mkdirSync: refuse, renameSync: refuse, fchmodSync: refuse, futimesSync: refuse });
  expect(read(SMALL, other)).toBe(SMALL);
  expect(read(LARGE, other) === LARGE).toBe(true);
  expect(other.reader.linkable(rawOfText(LARGE))?.path).toBe(loosePath(LARGE));
  other.close();
});

test('an object that was written into through a hard link is not linked on', async () => {
  await storeBlob(store, LARGE);
  expect(store.reader.linkable(rawOfText(LARGE))?.path).toBe(loosePath(LARGE));
  fs.linkSync(loosePath(LARGE), temp('link'));
  edit(temp('link'), 1000);
  expect(() => store.reader.linkable(rawOfText(LARGE))).toThrow(
    expect.objectContaining({ code: 'ERR_OBJECT_DAMAGED' }),
  );
  expect(fs.existsSync(loosePath(LARGE))).toBe(false);
  // The user's file is left to the user.
  expect(fs.readFileSync(temp('link'))[1000]).toBe(35);
});

test('a writer does not count on an object that was written into', async () => {
  await storeBlob(store, LARGE);
  fs.linkSync(loosePath(LARGE), temp('link'));
  edit(temp('link'));
  const fresh = await store.write((session) => {
    const ingestor = session.ingestor(false);
    const isNew = ingestor.addBytes('blob', Buffer.from(LARGE), rawOfText(LARGE), 0);
    session.publish([ingestor.finish()]);
    return isNew;
  });
  expect(fresh).toBe(true);
  expect(read(LARGE) === LARGE).toBe(true);
});

test('an object that was only touched gets its seal back', async () => {
  await storeBlob(store, LARGE);
  fs.utimesSync(loosePath(LARGE), 5, 5);
  expect(store.reader.linkable(rawOfText(LARGE))?.path).toBe(loosePath(LARGE));
  expect(fs.statSync(loosePath(LARGE)).mtimeMs).toBe(Date.UTC(2000, 0, 1));
});

test('a pack that is cut off is no pack, and nothing else is lost', async () => {
  await storeBlob(store, SMALL, true);
  const bytes = fs.readFileSync(packPath());
  for (const length of [0, 7, 20, bytes.length - 1]) {
    fs.writeFileSync(join(store.layout.packs, `${'0'.repeat(32)}.pack`), bytes.subarray(0, length));
    const other = open();
    expect([...other.reader.catalog.brokenPacks().values()].map(({ code }) => code)).toEqual(['ERR_PACK_INVALID']);
    expect(read(SMALL, other)).toBe(SMALL);
    other.close();
  }
});

test('a pack that was cut off after its index was read serves no wrong bytes', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
  for (const text of texts) await storeBlob(store, text, true);
  store.reader.catalog.refresh();
  for (const pack of listNames(realFiles, store.layout.packs)) fs.truncateSync(join(store.layout.packs, pack), 55);
  for (const text of texts) {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_OBJECT_/) }));
  }
});

test('an object that a collection has just moved is found', async () => {
  await storeBlob(store, SMALL, true);
  await storeBlob(store, LARGE, false);
  store.reader.catalog.refresh();
  const bag = openTrash(realFiles, store.layout);
  moveToTrash(realFiles, store.layout, bag, 'packs', listNames(realFiles, store.layout.packs)[0] ?? '');
  moveToTrash(realFiles, store.layout, bag, 'objects', looseName('blob', hexOf(digestFromRaw(rawOfText(LARGE)))));
  expect(read(SMALL)).toBe(SMALL);
  expect(read(LARGE) === LARGE).toBe(true);
});

/** Files below which collections write a pack anew, under another name, whenever somebody is about to open it: so many times. */
function rewrittenPacks(times: number): Files {
  let left = times;
  return {
    ...realFiles,
    openSync: (path, ...rest) => {
      if (String(path).endsWith('.pack') && left > 0) {
        left--;
        fs.renameSync(path, join(store.layout.packs, `${String(left).padStart(32, '0')}.pack`));
      }
      return realFiles.openSync(path, ...rest);
    },
  };
}

test('an object is found, however often collections overtake its reader', async () => {
  await storeBlob(store, SMALL, true);
  const other = open(rewrittenPacks(6));
  expect(read(SMALL, other)).toBe(SMALL);
  other.close();
  // But nobody waits for ever.
  const never = open(rewrittenPacks(1000));
  expect(() => read(SMALL, never)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_MISSING' }));
  never.close();
});

test('what another process writes is found', async () => {
  const other = open();
  expect(() => read(SMALL, other)).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_MISSING' }));
  await storeBlob(store, SMALL, true);
  expect(read(SMALL, other)).toBe(SMALL);
  await storeBlob(store, 'another', false);
  expect(read('another', other)).toBe('another');
  other.close();
});

test('reads in any order from more packs than files may be open', async () => {
  const texts = Array.from({ length: 40 }, (_, i) => `text ${i}`);
  for (const text of texts) await storeBlob(store, text, true);
  const other = open();
  for (let i = 0; i < 200; i++) {
    const text = texts[(i * 7) % texts.length] ?? '';
    expect(read(text, other)).toBe(text);
  }
  other.close();
});
