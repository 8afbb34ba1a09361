import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import type { SluiceEvent } from '../events.js';
import { digestOf, rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { testRoots } from '../testing/gc-roots.js';
import { storeTree, type TestFiles } from '../testing/store-tree.js';
import { collect } from './gc/collect.js';
import type { ObjectKind } from './layout.js';
import { openStore, type Store } from './store.js';
import type { RepairObject } from './verify/repair.js';
import { type StoreVerification, type VerifyStoreOptions, verifyStore } from './verify.js';

let dir = '';
let store: Store;
/** A second store that has everything, as a remote would. */
let other: Store;

beforeEach(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), 'sluice-verify-'));
  store = openStore({ dir: join(dir, 'store'), durability: 'none' });
  other = openStore({ dir: join(dir, 'other'), durability: 'none' });
});
afterEach(() => {
  store.close();
  other.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const FILES: TestFiles = {
  ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`d${i % 3}/f${i}`, `content ${i}`])),
  'large/x': 'x'.repeat(100_000),
};

async function both(packed: boolean, files: TestFiles = FILES): Promise<OutRoot> {
  await storeTree(other, files, true);
  return storeTree(store, files, packed);
}

const repairObject: RepairObject = async (kind, digest) => {
  const raw = rawOf(digest);
  other.reader.catalog.refresh();
  if (!other.reader.catalog.has(kind, raw)) return false;
  await store.write((session) => {
    const ingestor = session.ingestor(false);
    ingestor.addBytes(kind, Buffer.from(other.reader.read(kind, raw)), raw, 0);
    session.publish([ingestor.finish()]);
  });
  return true;
};

function verify(root: OutRoot, options: VerifyStoreOptions = {}): Promise<StoreVerification> {
  return verifyStore(store, { roots: [{ root, why: 'test' }], ...options });
}

function edit(path: string, change: (bytes: Buffer) => Buffer): void {
  const { atime, mtime } = fs.statSync(path);
  fs.chmodSync(path, 0o644);
  fs.writeFileSync(path, change(fs.readFileSync(path)));
  fs.chmodSync(path, 0o444);
  fs.utimesSync(path, atime, mtime);
  store.close();
  store = openStore({ dir: join(dir, 'store'), durability: 'none' });
}

function flipAt(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
}

/** Where the first copy of an object lies. */
function copyOf(kind: ObjectKind, content: string | OutRoot): { path: string; at: number } {
  const digest = typeof content === 'string' ? digestOf(content) : content.digest;
  store.reader.catalog.refresh();
  for (const place of store.reader.catalog.places(kind, rawOf(digest))) {
    return place.home === 'pack' ? { path: place.pack.path, at: place.entry.offset + 44 } : { path: place.path, at: 0 };
  }
  throw new Error('no copy');
}

describe.each([
  ['loose', false],
  ['packed', true],
])('%s objects', (_, packed) => {
  test('a sound store has no findings, deep or not', async () => {
    const root = await both(packed);
    const events: SluiceEvent[] = [];
    for (const deep of [false, true]) {
      const { findings, incomplete, checked } = await verify(root, { deep, emit: (event) => events.push(event) });
      expect(findings).toEqual([]);
      expect(incomplete).toEqual([]);
      expect(checked.objects).toBe(106);
      expect(checked.bytes > 0).toBe(deep);
    }
    for (const event of events) expect(event).toMatchObject({ type: 'progress', files: 106, totalFiles: 106 });
  });

  test('a flipped byte is found by reading, set aside and repaired', async () => {
    const root = await both(packed);
    const { path, at } = copyOf('blob', 'content 7');
    edit(path, flipAt(at));
    expect((await verify(root)).findings).toEqual([]);
    const found = await verify(root, { deep: true });
    expect(found.findings).toMatchObject([{ kind: 'blob', name: digestOf('content 7'), repaired: false }]);
    // It was set aside, so it is found without reading now.
    expect((await verify(root)).findings).toMatchObject([{ kind: 'blob', repaired: false }]);
    const unable = await verify(root, { repairObject: async () => false });
    expect(unable.findings).toMatchObject([{ kind: 'blob', repaired: false }]);
    expect(unable.incomplete).toMatchObject([{ absent: 1 }]);
    expect((await verify(root, { repairObject })).findings).toMatchObject([{ kind: 'blob', repaired: true }]);
    expect(await verify(root, { deep: true })).toMatchObject({ findings: [], incomplete: [] });
  });

  test('a damaged tree is found at once, and what lies below it is checked after its repair', async () => {
    const root = await both(packed);
    const { path, at } = copyOf('tree', root);
    edit(path, flipAt(at + 20));
    expect((await verify(root)).findings).toMatchObject([{ kind: 'tree', name: root.digest, repaired: false }]);
    const blob = copyOf('blob', 'content 3');
    edit(blob.path, flipAt(blob.at));
    const { findings, incomplete } = await verify(root, { deep: true, repairObject });
    expect(findings.map(({ kind, repaired }) => `${kind} ${repaired}`).sort()).toEqual(['blob true', 'tree true']);
    expect(incomplete).toEqual([]);
    await collect(store, { roots: testRoots([root]) });
    expect(await verify(root, { deep: true })).toMatchObject({ findings: [], incomplete: [] });
  });
});

test('writing into a loose object is found without reading all, and so is a file that is cut off', async () => {
  const root = await both(false);
  const linked = copyOf('blob', 'content 7').path;
  fs.chmodSync(linked, 0o644);
  fs.writeFileSync(linked, 'content 8');
  edit(copyOf('blob', 'content 9').path, (bytes) => bytes.subarray(0, 4));
  const { findings } = await verify(root, { repairObject });
  expect(findings.map(({ name, repaired }) => `${name} ${repaired}`).sort()).toEqual(
    [digestOf('content 7'), digestOf('content 9')].map((digest) => `${digest} true`).sort(),
  );
  expect(await verify(root, { deep: true })).toMatchObject({ findings: [], incomplete: [] });
});

test('a touched object whose bytes are sound is no finding and gets its seal back', async () => {
  const root = await both(false);
  const { path } = copyOf('blob', 'content 7');
  fs.utimesSync(path, new Date(), new Date());
  fs.chmodSync(path, 0o644);
  expect((await verify(root)).findings).toEqual([]);
  expect(fs.statSync(path)).toMatchObject({ mode: 0o100444, mtime: new Date('2000-01-01T00:00:00Z') });
});

test('data that is only referred to is no finding', async () => {
  const root = await storeTree(other, FILES);
  const { findings, incomplete } = await verify(root, { deep: true, repairObject });
  expect(findings).toEqual([]);
  expect(incomplete).toMatchObject([{ absent: 1 }]);
});

test('of a pack with a damaged index everything is saved', async () => {
  const root = await both(true);
  const { path } = copyOf('blob', 'content 7');
  edit(path, flipAt(fs.statSync(path).size - 60));
  expect((await verify(root)).findings).toMatchObject([{ kind: 'pack', repaired: false }]);
  const { findings } = await verify(root, { repairObject: async () => false });
  expect(findings).toMatchObject([{ kind: 'pack', repaired: true }]);
  expect(fs.existsSync(path)).toBe(false);
  expect(await verify(root, { deep: true })).toMatchObject({ findings: [], incomplete: [] });
});

test('of a pack that is cut off the first part is saved, and the rest comes from elsewhere', async () => {
  const { 'large/x': _, ...small } = FILES;
  const root = await both(true, small);
  const { path } = copyOf('blob', 'content 7');
  edit(path, (bytes) => bytes.subarray(0, bytes.length / 3));
  const unable = await verify(root, { repairObject: async () => false });
  expect(unable.findings.filter(({ kind }) => kind === 'pack')).toMatchObject([{ repaired: false }]);
  const lost = unable.findings.filter(({ kind }) => kind === 'blob');
  expect(lost.length).toBeGreaterThan(10);
  expect(lost.length).toBeLessThan(101);
  const { findings } = await verify(root, { repairObject });
  expect(findings.every(({ repaired }) => repaired)).toBe(true);
  expect(await verify(root, { deep: true })).toMatchObject({ findings: [], incomplete: [] });
  expect(fs.readdirSync(store.layout.damaged)).toEqual([]);
});

test('records and notes that cannot be read are set aside', async () => {
  const root = await both(true);
  const name = '0'.repeat(62);
  for (const path of [join(store.layout.records, 'ab'), store.layout.kept]) fs.mkdirSync(path, { recursive: true });
  fs.writeFileSync(join(store.layout.records, 'ab', `${name}.json`), '{');
  fs.writeFileSync(join(store.layout.kept, `${name}00.json`), '{');
  expect((await verify(root)).findings.map(({ kind }) => kind)).toEqual(['record', 'note']);
  expect((await verify(root, { repairObject })).findings.map(({ repaired }) => repaired)).toEqual([true, true]);
  expect((await verify(root)).findings).toEqual([]);
});

test('any flipped byte of a pack is found', async () => {
  const files = { a: 'one', b: 'two', 'c/d': 'three' };
  const root = await both(true, files);
  const { path } = copyOf('blob', 'one');
  const whole = fs.readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    edit(path, () => flipAt(at)(Buffer.from(whole)));
    const { findings } = await verify(root, { deep: true });
    expect([at, findings.length > 0]).toEqual([at, true]);
    fs.rmSync(store.layout.damaged, { recursive: true, force: true });
  }
});
