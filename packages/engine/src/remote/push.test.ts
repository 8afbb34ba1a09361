import { randomBytes } from 'node:crypto';
import { digestFromRaw, hexOf, rawDigestOf } from '../model/digest.js';
import { decodeMap, IN_MAP } from '../model/map.js';
import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import { faulty } from '../testing/faulty-storage.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { type Files, flat, randomFiles, readFiles, storeFile, storeFiles, useStores } from '../testing/store-files.js';
import { fetchRoots } from './fetch.js';
import { quietNote } from './gc/quiet-note.js';
import { type PushRootsOptions, pushRoots } from './push.js';
import { isComplete, openRemote, type Remote } from './remote.js';
import { counting } from './storage/counting.js';
import type { Storage } from './storage/port.js';

const newStore = useStores();

const open = (storage: Storage, store?: Store): Remote =>
  openRemote({
    storage,
    area: 'shared',
    ...(store === undefined ? {} : { quiet: quietNote(store, storage.description) }),
  });
const push = (
  store: Store,
  storage: Storage,
  root: OutRoot,
  more: Partial<PushRootsOptions> = {},
): ReturnType<typeof pushRoots> => pushRoots({ remote: open(storage, store), store, roots: [{ root }], ...more });
const mapKeyOf = (root: OutRoot): string =>
  `shared/maps/${hexOf(root.digest).slice(0, 2)}/${hexOf(root.digest).slice(2)}.map`;
const keysOf = (storage: ReturnType<typeof memoryStorage>, part: string): string[] =>
  [...storage.objects.keys()].filter((key) => key.includes(part));

/** Whether another clone gets the very same files from the remote. */
const expectWhole = async (storage: Storage, root: OutRoot, files: Files): Promise<void> => {
  const clone = newStore();
  await fetchRoots({ remote: open(storage), store: clone, wants: [{ root }] });
  expect(readFiles(clone, root)).toEqual(flat(files));
};

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
    const result = await pushRoots({ remote: open(storage), store, roots });
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

describe('what is sent', () => {
  test('files, an empty file, an empty directory, a split directory, and a large file come back as they were', async () => {
    const files: Files = {
      empty: Buffer.alloc(0),
      folder: {},
      many: randomFiles(3000, 20),
      deep: { a: { b: { c: { d: randomBytes(10) } } } },
      middle: randomBytes(300_000),
      large: randomBytes(9 * 1024 * 1024 + 17),
    };
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await push(store, storage, root);
    expect(keysOf(storage, 'blobs/')).toHaveLength(1);
    await expectWhole(storage, root, files);
  });

  test('a root that is one file, small or large', async () => {
    for (const bytes of [0, 1000, 8 * 1024 * 1024]) {
      const content = randomBytes(bytes);
      const storage = memoryStorage();
      const store = newStore();
      const root = await storeFile(store, content);
      await push(store, storage, root);
      const clone = newStore();
      await fetchRoots({ remote: open(storage), store: clone, wants: [{ root }] });
      expect(clone.reader.read('blob', rawDigestOf(content)).equals(content)).toBe(true);
    }
  });

  test('one file of 10,000 changed: little is written, and what did not change is referred to', async () => {
    const folder = (): Files => randomFiles(2000, 30, 'a-file-');
    const [folder1, folder2, folder3, folder4, folder5] = [folder(), folder(), folder(), folder(), folder()];
    const files = { folder1, folder2, folder3, folder4, folder5 };
    const storage = memoryStorage();
    const store = newStore();
    const before = await storeFiles(store, files);
    await push(store, storage, before);
    const changed = { ...files, folder3: { ...folder3, 'a-file-77': randomBytes(31) } };
    const after = await storeFiles(store, changed);
    const sizeBefore = total(storage);
    const counted = counting(storage);
    const result = await push(store, counted, after);
    expect(result.files).toEqual({ sent: 1, reused: 9_999 });
    expect(result.bytes.sent).toBe(31);
    expect(total(storage) - sizeBefore).toBeLessThan(64 * 1024 + 31);
    expect(counted.requests.put).toBeLessThanOrEqual(3);
    const { front } = decodeMap(storage.objects.get(mapKeyOf(after) as never) ?? Buffer.alloc(0), 'test');
    expect(front.maps).toHaveLength(1);
    expect(front.nodes.row(1).how).toBe(IN_MAP);
    await expectWhole(storage, after, changed);
  });

  test('a chain of versions refers only to maps that hold the nodes themselves', async () => {
    const storage = memoryStorage();
    const store = newStore();
    let files: Files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`d${i}`, randomFiles(40, 50)]));
    let root = await storeFiles(store, files);
    await push(store, storage, root);
    for (let version = 0; version < 5; version++) {
      files = { ...files, [`d${version}`]: randomFiles(40, 50) };
      root = await storeFiles(store, files);
      await push(store, storage, root);
    }
    const { front } = decodeMap(storage.objects.get(mapKeyOf(root) as never) ?? Buffer.alloc(0), 'test');
    for (const { raw } of front.maps) {
      const named = storage.objects.get(mapKeyOf({ digest: digestFromRaw(raw) } as OutRoot) as never);
      const { front: there } = decodeMap(named ?? Buffer.alloc(0), 'test');
      for (let i = 0; i < front.nodes.count; i++) {
        const row = front.nodes.row(i);
        if (row.how !== IN_MAP || front.maps[row.place]?.raw !== raw) continue;
        expect(there.nodes.number(there.nodes.find(row.offset))).toBe(row.offset);
        expect(there.nodes.row(there.nodes.find(row.offset)).how).not.toBe(IN_MAP);
      }
    }
    await expectWhole(storage, root, files);
  });

  test('a directory that becomes a root of its own needs no data', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const inner = randomFiles(50, 100);
    await push(store, storage, await storeFiles(store, { outer: inner, more: randomFiles(5, 5) }));
    const root = await storeFiles(store, inner);
    expect(await push(store, storage, root)).toMatchObject({ files: { sent: 0, reused: 50 } });
    await expectWhole(storage, root, inner);
  });
});

describe('nothing relies on what is not there', () => {
  const files = { a: randomFiles(40, 100), b: randomFiles(40, 100) };

  test('the map comes last', async () => {
    const order: string[] = [];
    const inner = memoryStorage();
    const storage: Storage = {
      ...inner,
      put: async (key, body, options) => {
        const answer = await inner.put(key, body, options);
        order.push(key.split('/')[1] ?? key);
        return answer;
      },
    };
    const store = newStore();
    await push(store, storage, await storeFiles(store, { ...files, large: randomBytes(8 * 1024 * 1024) }));
    expect(order[0]).toBe('format');
    expect(order.slice(1).sort()).toEqual(['blobs', 'maps', 'packs', 'packs']);
    expect(order.at(-1)).toBe('maps');
  });

  test('a push that fails at any put leaves no map, and the next one finishes', async () => {
    const store = newStore();
    const root = await storeFiles(store, { ...files, large: randomBytes(8 * 1024 * 1024) });
    for (let failing = 0; failing < 5; failing++) {
      const inner = memoryStorage();
      const storage = faulty(inner);
      for (let i = 0; i < failing; i++) storage.inject('put', { kind: 'gate', opened: Promise.resolve() });
      storage.inject('put', { kind: 'error', code: 'ERR_REMOTE_DOWN' });
      await expect(push(newCopy(store), storage, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
      storage.assertAllHit();
      expect(keysOf(inner, 'maps')).toEqual([]);
      await push(newCopy(store), inner, root);
      expect(await isComplete(open(inner), root.digest)).toBe(true);
    }
  });

  /** The same store without what it knows of remotes. */
  const newCopy = (store: Store): Store => store;

  test('what was sent before a failure is not sent again', async () => {
    const store = newStore();
    const root = await storeFiles(store, { ...files, large: randomBytes(8 * 1024 * 1024) });
    const inner = memoryStorage();
    const storage = faulty(inner);
    storage.inject('put', { kind: 'error', code: 'ERR_REMOTE_DOWN' }, /maps/);
    await expect(push(store, storage, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
    storage.assertAllHit();
    expect(await push(store, inner, root)).toMatchObject({ files: { sent: 0, reused: 81 } });
    await expectWhole(inner, { ...root }, readBack(store, root));
  });

  const readBack = (store: Store, root: OutRoot): Files => {
    const tree: Record<string, Buffer | Record<string, Buffer>> = {};
    for (const [path, text] of readFiles(store, root)) {
      const [top = '', name] = path.split('/');
      if (name === undefined) tree[top] = Buffer.from(text, 'latin1');
      else {
        const folder = tree[top];
        tree[top] = { ...(folder instanceof Buffer ? {} : folder), [name]: Buffer.from(text, 'latin1') };
      }
    }
    return tree;
  };

  test('a local blob that is gone: exit 4, no map', async () => {
    const store = newStore();
    const content = randomBytes(100_000);
    const root = await storeFiles(store, { folder: { 'gone.bin': content, 'there.bin': randomBytes(50) } });
    const hex = rawDigestOf(content).toString('hex');
    store.files.rmSync(`${store.layout.objects}/${hex.slice(0, 2)}/${hex.slice(2)}`);
    const storage = memoryStorage();
    await expect(push(store, storage, root)).rejects.toMatchObject({
      code: 'ERR_OBJECT_MISSING',
      exitCode: 4,
      message: expect.stringContaining('folder/gone.bin'),
    });
    await expect(push(store, storage, root, { dryRun: true })).rejects.toMatchObject({ code: 'ERR_OBJECT_MISSING' });
    expect(keysOf(storage, 'maps')).toEqual([]);
  });

  test('a local blob that is gone but on the remote is no failure', async () => {
    const store = newStore();
    const content = randomBytes(100_000);
    const storage = memoryStorage();
    await push(store, storage, await storeFiles(store, { one: content }));
    const root = await storeFiles(store, { two: content });
    const hex = rawDigestOf(content).toString('hex');
    store.files.rmSync(`${store.layout.objects}/${hex.slice(0, 2)}/${hex.slice(2)}`);
    expect(await push(store, storage, root)).toMatchObject({ files: { sent: 0, reused: 1 } });
  });

  test('packs, maps and large blobs that are known but gone are sent again', async () => {
    const store = newStore();
    const large = randomBytes(8 * 1024 * 1024);
    const before = { a: randomFiles(40, 100), b: randomFiles(40, 100), large };
    // A collection deletes maps before what they name; so what is known of packs and blobs can be out of date in any of these ways.
    for (const part of ['maps', 'maps|packs', 'maps|packs|blobs']) {
      const storage = memoryStorage(`memory:${part}`);
      await push(store, storage, await storeFiles(store, before));
      const after = { ...before, c: randomFiles(3, 10) };
      const root = await storeFiles(store, after);
      for (const key of part.split('|').flatMap((name) => keysOf(storage, `/${name}/`)))
        storage.objects.delete(key as never);
      const result = await push(store, storage, root);
      expect(result.files.sent + result.files.reused).toBe(84);
      await expectWhole(storage, root, after);
    }
  });

  test('a pack that is known but cut off is not relied on', async () => {
    const store = newStore();
    const before = { a: randomFiles(10, 100), b: randomFiles(10, 100) };
    const storage = memoryStorage();
    await push(store, storage, await storeFiles(store, before));
    for (const key of keysOf(storage, 'packs')) {
      storage.objects.set(key as never, (storage.objects.get(key as never) ?? Buffer.alloc(0)).subarray(0, 500));
    }
    const after = { ...before, c: randomFiles(3, 10) };
    const root = await storeFiles(store, after);
    await push(store, storage, root);
    await expectWhole(storage, root, after);
  });

  test('a have-index that is damaged anywhere never leads to a map that lies', async () => {
    const store = newStore();
    const before = { a: randomFiles(20, 100), b: randomFiles(20, 100) };
    const first = await storeFiles(store, before);
    const after = { ...before, c: randomFiles(20, 10) };
    const root = await storeFiles(store, after);
    for (let round = 0; round < 20; round++) {
      const storage = memoryStorage(`memory:${round}`);
      await push(store, storage, first);
      const name = store.files.readdirSync(store.layout.index).find((file) => file.startsWith('have-')) ?? '';
      const path = `${store.layout.index}/${name}`;
      const bytes = store.files.readFileSync(path);
      const at = Math.floor((round / 20) * bytes.length);
      const damaged = round % 2 === 0 ? bytes.subarray(0, at) : Buffer.from(bytes).fill(255, at, at + 1);
      const fd = store.files.openSync(path, 'w');
      store.files.writeSync(fd, damaged, 0, damaged.length);
      store.files.closeSync(fd);
      await push(store, storage, root);
      await expectWhole(storage, root, after);
      store.files.rmSync(path);
    }
  });

  test('a damaged map is replaced by the next push', async () => {
    const store = newStore();
    const root = await storeFiles(store, files);
    const storage = memoryStorage();
    await push(store, storage, root);
    for (const damage of [Buffer.alloc(0), Buffer.alloc(300), Buffer.from('SLMP')]) {
      storage.objects.set(mapKeyOf(root) as never, damage);
      await push(store, storage, root);
      await expectWhole(storage, root, files);
    }
  });
});

describe('verify', () => {
  const files = { a: randomFiles(40, 100), b: randomFiles(40, 100) };

  test('sends again what a map names and is gone or cut off, and heals the map', async () => {
    const store = newStore();
    const root = await storeFiles(store, files);
    for (const damage of ['gone', 'cut off'] as const) {
      for (const which of [0, 1]) {
        const storage = memoryStorage(`memory:${damage}${which}`);
        await push(store, storage, root);
        const key = keysOf(storage, 'packs')[which] as never;
        if (damage === 'gone') storage.objects.delete(key);
        else storage.objects.set(key, (storage.objects.get(key) ?? Buffer.alloc(0)).subarray(0, 1000));
        expect((await push(store, storage, root)).objects.sent).toBe(0);
        expect((await push(store, storage, root, { verify: true })).objects.sent).toBeGreaterThan(0);
        await expectWhole(storage, root, files);
        expect((await push(store, storage, root, { verify: true })).objects.sent).toBe(0);
      }
    }
  });

  test('notices a remote that keeps nothing although it says so', async () => {
    const store = newStore();
    const root = await storeFiles(store, files);
    const storage = faulty(memoryStorage());
    storage.inject('put', { kind: 'forget' }, /packs/);
    await expect(push(store, storage, root, { verify: true })).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
    storage.assertAllHit();
    await push(store, storage, root, { verify: true });
    await expectWhole(storage, root, files);
  });
});

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
    const pushed = await pushRoots({ remote: open(counted), store, roots: [{ root, previous: versions }] });
    expect(pushed.files).toEqual({ sent: 3, reused: 8 * 55 });
    await expectWhole(storage, root, after);
    const again = { ...after, third: randomBytes(4) };
    const next = await storeFiles(store, again);
    const before = counted.requests.get;
    await pushRoots({ remote: open(counted), store, roots: [{ root: next, previous: [root, ...versions] }] });
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
    const pushed = await pushRoots({ remote: open(storage), store, roots: [{ root }], known: [known] });
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
    await pushRoots({ remote: open(counted), store, roots: [{ root }], known: [known] });
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

describe('areas', () => {
  const files = { a: randomFiles(40, 100) };

  test('a map of a less trusted area proves nothing, and nothing of it is referred to', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await push(store, storage, root);
    const trusted = openRemote({ storage, area: 'trusted' });
    expect(await isComplete(trusted, root.digest)).toBe(false);
    const result = await pushRoots({ remote: trusted, store, roots: [{ root }], known: [root] });
    expect(result.files).toEqual({ sent: 40, reused: 0 });
    for (const key of keysOf(storage, 'shared/')) storage.objects.delete(key as never);
    await expectWhole(storage, root, files);
  });

  test('a map of a more trusted area does', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const root = await storeFiles(store, files);
    await pushRoots({ remote: openRemote({ storage, area: 'trusted' }), store, roots: [{ root }] });
    for (const area of ['shared', 'pr/7'] as const) {
      const remote = openRemote({ storage, area });
      expect(await isComplete(remote, root.digest)).toBe(true);
      const more = await storeFiles(store, { ...files, b: randomBytes(10) });
      expect((await pushRoots({ remote, store, roots: [{ root: more }] })).files).toEqual({ sent: 1, reused: 40 });
    }
    expect(keysOf(storage, 'pr/7/maps')).toHaveLength(1);
  });
});

describe('two pushers at once', () => {
  test('of the same root: both end complete', async () => {
    const storage = memoryStorage();
    const files = { a: randomFiles(60, 100), b: randomFiles(60, 100) };
    const [one, two] = [newStore(), newStore()];
    const root = await storeFiles(one, files);
    await storeFiles(two, files);
    await Promise.all([push(one, storage, root), push(two, storage, root)]);
    await expectWhole(storage, root, files);
    const after = { ...files, c: randomBytes(5) };
    for (const store of [one, two]) await push(store, storage, await storeFiles(store, after));
    await expectWhole(storage, await storeFiles(one, after), after);
  });

  test('of different roots, from one store', async () => {
    const storage = memoryStorage();
    const store = newStore();
    const both = { a: randomFiles(60, 100) };
    const versions = [1, 2, 3].map((n) => ({ ...both, [`own${n}`]: randomFiles(20, 50) }));
    const roots: OutRoot[] = [];
    for (const files of versions) roots.push(await storeFiles(store, files));
    await Promise.all(roots.map((root) => push(store, storage, root)));
    for (const [i, root] of roots.entries()) await expectWhole(storage, root, versions[i] ?? {});
  });
});

test('a push with nothing to do asks twice and writes nothing', async () => {
  const storage = memoryStorage();
  const store = newStore();
  const root = await storeFiles(store, people);
  await push(store, storage, root);
  const counted = counting(storage);
  await push(store, counted, root);
  expect(counted.requests).toMatchObject({ put: 0, list: 0, delete: 0 });
  expect(counted.requests.get + counted.requests.head).toBeLessThanOrEqual(2);
});

test('an aborted push is an interruption and leaves no map', async () => {
  const storage = memoryStorage();
  const store = newStore();
  const root = await storeFiles(store, people);
  await expect(push(store, storage, root, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_INTERRUPTED',
  });
  expect(keysOf(storage, 'maps')).toEqual([]);
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
    remote: open(storage),
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

function total(storage: ReturnType<typeof memoryStorage>): number {
  return [...storage.objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}
