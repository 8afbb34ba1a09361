import { randomBytes } from 'node:crypto';
import { rawDigestOf } from '../model/digest.js';
import { expectWhole } from '../testing/encoded-remote.js';
import { faulty } from '../testing/faulty-storage.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { keysOf, mapKeyOf, openShared, push } from '../testing/pushing.js';
import { randomFiles, storeFiles, useStores } from '../testing/store-files.js';
import { isComplete } from './remote.js';
import type { Storage } from './storage/port.js';

const newStore = useStores();

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
      await expect(push(store, storage, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
      storage.assertAllHit();
      expect(keysOf(inner, 'maps')).toEqual([]);
      await push(store, inner, root);
      expect(await isComplete(openShared(inner), root.digest)).toBe(true);
    }
  });

  test('what was sent before a failure is not sent again', async () => {
    const store = newStore();
    const all = { ...files, large: randomBytes(8 * 1024 * 1024) };
    const root = await storeFiles(store, all);
    const inner = memoryStorage();
    const storage = faulty(inner);
    storage.inject('put', { kind: 'error', code: 'ERR_REMOTE_DOWN' }, /maps/);
    await expect(push(store, storage, root)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
    storage.assertAllHit();
    expect(await push(store, inner, root)).toMatchObject({ files: { sent: 0, reused: 81 } });
    await expectWhole(inner, root, all);
  });

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
