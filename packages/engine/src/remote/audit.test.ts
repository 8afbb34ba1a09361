import { randomBytes } from 'node:crypto';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { type Files, flat, readFiles, storeFiles, useStores } from '../testing/store-files.js';
import { Auditor } from './audit.js';
import { fetchRoots } from './fetch.js';
import { mapKey } from './keys.js';
import { measureRemote } from './measure.js';
import { pushRoots } from './push.js';
import { openRemote, type Remote } from './remote.js';
import type { StorageKey } from './storage/port.js';

const newStore = useStores();

const MIB = 1024 * 1024;
const small: Record<string, Buffer> = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`f${i}`, randomBytes(50 + i)]),
);
const files: Files = { deep: small, 'large.bin': randomBytes(9 * MIB), alone: randomBytes(10) };

interface Pushed {
  readonly storage: MemoryStorage;
  readonly remote: Remote;
  readonly store: Store;
  readonly root: OutRoot;
}

async function pushed(content: Files = files): Promise<Pushed> {
  const store = newStore();
  const storage = memoryStorage();
  const remote = openRemote({ storage, area: 'shared' });
  const root = await storeFiles(store, content);
  await pushRoots({ remote, store, roots: [{ root }] });
  return { storage, remote, store, root };
}

const auditorOf = ({ remote }: Pushed, deep: boolean): Auditor =>
  new Auditor({ remote, reader: newStore().reader, deep });
const codesOf = async (all: Pushed, deep: boolean, root = all.root): Promise<string[] | undefined> => {
  const problems = await auditorOf(all, deep).problemsOf('shared', root.digest);
  return problems?.map(({ error }) => error.code);
};
const keyWith = ({ storage }: Pushed, part: string, n = 0): StorageKey => {
  const found = [...storage.objects.keys()].filter((key) => key.includes(part))[n];
  if (found === undefined) throw new Error(`no ${part}`);
  return found;
};
const change = ({ storage }: Pushed, key: StorageKey, edit: (bytes: Buffer) => Buffer): void => {
  storage.objects.set(key, edit(Buffer.from(storage.objects.get(key) ?? '')));
};
const flip = (at: number) => (bytes: Buffer) => {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
};
/** Repairs from the pusher's store, then another clone gets everything. */
const expectHealed = async (all: Pushed, auditor: Auditor): Promise<void> => {
  const { remote, store, root } = all;
  await pushRoots({ remote, store, roots: [{ root }], verify: true, auditor });
  expect(await codesOf(all, true)).toEqual([]);
  const clone = newStore();
  await fetchRoots({ remote, store: clone, wants: [{ root }] });
  expect(readFiles(clone, root)).toEqual(flat(files));
};

test('what was pushed is sound; what was not is no map', async () => {
  const all = await pushed();
  expect(await codesOf(all, false)).toEqual([]);
  const auditor = auditorOf(all, true);
  expect(await auditor.problemsOf('shared', all.root.digest)).toEqual([]);
  expect(auditor.checked.objects).toBe(44);
  expect(await auditor.problemsOf('trusted', all.root.digest)).toBeUndefined();
});

test.each(['/packs/', '/blobs/', '/maps/'])('a lost or short object under %s is found and sent again', async (part) => {
  for (const short of [false, true]) {
    const all = await pushed();
    const key = keyWith(all, part);
    if (short) change(all, key, (bytes) => bytes.subarray(0, bytes.length >> 2));
    else all.storage.objects.delete(key);
    const auditor = auditorOf(all, false);
    const problems = await auditor.problemsOf('shared', all.root.digest);
    if (part === '/maps/' && !short) expect(problems).toBeUndefined();
    else expect(problems?.map((problem) => problem.key)).toContain(key);
    await expectHealed(all, auditor);
  }
});

test('bytes that changed are found by a deep audit alone, and sent again', async () => {
  for (const [part, at] of [
    ['/blobs/', 5 * MIB],
    ['/packs/', 60],
  ] as const) {
    for (const n of part === '/packs/' ? [0, 1] : [0]) {
      const all = await pushed();
      const key = keyWith(all, part, n);
      change(all, key, flip(at));
      expect(await codesOf(all, false)).not.toContain('ERR_OBJECT_MISSING');
      const auditor = auditorOf(all, true);
      const problems = await auditor.problemsOf('shared', all.root.digest);
      expect(problems?.map((problem) => problem.key)).toContain(key);
      await expectHealed(all, auditor);
    }
  }
});

test('a lost pack does not hide a damaged blob', async () => {
  const all = await pushed();
  const large = keyWith(all, '/blobs/');
  change(all, large, flip(MIB));
  for (const n of [0, 1]) {
    const pack = keyWith(all, '/packs/', n);
    const bytes = all.storage.objects.get(pack) ?? Buffer.alloc(0);
    all.storage.objects.delete(pack);
    const auditor = new Auditor({ remote: all.remote, reader: all.store.reader, deep: true });
    const problems = await auditor.problemsOf('shared', all.root.digest);
    expect(problems?.map((problem) => problem.key).sort()).toEqual([large, pack].sort());
    all.storage.objects.set(pack, bytes);
  }
});

test('two packs that were swapped are found by a deep audit', async () => {
  const all = await pushed({ a: randomBytes(300), b: randomBytes(400) });
  const [first, second] = [keyWith(all, '/packs/', 0), keyWith(all, '/packs/', 1)];
  const bytes = all.storage.objects.get(first);
  change(all, first, () => Buffer.from(all.storage.objects.get(second) ?? ''));
  all.storage.objects.set(second, bytes ?? Buffer.alloc(0));
  expect(await codesOf(all, true)).not.toEqual([]);
});

test('a map is as sound as those that it leads to', async () => {
  const all = await pushed();
  const next = await storeFiles(all.store, { ...files, alone: randomBytes(11) });
  await pushRoots({ remote: all.remote, store: all.store, roots: [{ root: next }] });
  expect(await codesOf(all, false, next)).toEqual([]);
  all.storage.objects.delete(mapKey('shared', all.root.digest));
  const auditor = auditorOf(all, false);
  expect((await auditor.problemsOf('shared', next.digest))?.length).toBeGreaterThan(0);
  expect(auditor.bad).toContain(mapKey('shared', next.digest));
  await pushRoots({ remote: all.remote, store: all.store, roots: [{ root: next }], verify: true, auditor });
  expect(await codesOf(all, true, next)).toEqual([]);
});

test('a remote that does not answer is no finding', async () => {
  const all = await pushed();
  const stat = all.storage.stat;
  all.storage.stat = async () => {
    throw new Error('down');
  };
  await expect(auditorOf(all, false).problemsOf('shared', all.root.digest)).rejects.toThrow('down');
  all.storage.stat = stat;
});

test('a remote is measured by its listing and by what its maps name', async () => {
  const all = await pushed();
  const changed = randomBytes(11);
  const next = await storeFiles(all.store, { ...files, alone: changed });
  await pushRoots({ remote: all.remote, store: all.store, roots: [{ root: next }] });
  const bytes = [...all.storage.objects.values()].reduce((sum, object) => sum + object.length, 0);
  const referencedBytes = 9 * MIB + 10 + 11 + Object.values(small).reduce((sum, content) => sum + content.length, 0);
  const measured = await measureRemote(all.remote, newStore().reader, undefined);
  expect(measured).toMatchObject({ blobs: 43, trees: 3, records: 0, bytes, referencedBytes, unreadable: [] });
  expect(measured.packs).toBe([...all.storage.objects.keys()].filter((key) => key.includes('/packs/')).length);
  for (const key of [...all.storage.objects.keys()]) if (key.includes('/packs/')) all.storage.objects.delete(key);
  const broken = await measureRemote(all.remote, newStore().reader, undefined);
  expect(broken).toMatchObject({ blobs: 0, packs: 0 });
  expect(broken.unreadable.length).toBeGreaterThan(0);
});
