import { createHash, randomBytes } from 'node:crypto';
import { SluiceError } from '../../errors.js';
import { type Body, bodyOf, type ListedObject, type Storage, storageKey } from './port.js';

/** A driver, or a wrapper around one, that is made fresh and empty for each test. */
export interface StorageUnderTest {
  readonly storage: Storage;
  readonly cleanUp?: () => void | Promise<void>;
}

/** What every {@link Storage} promises. A new driver's test is a call of this function. */
export function storageContract(name: string, make: () => StorageUnderTest | Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    let under: StorageUnderTest;
    let storage: Storage;
    const key = storageKey('shared/packs/00112233445566778899aabbccddeeff.pack');
    const other = storageKey('shared/packs/10112233445566778899aabbccddeeff.pack');

    beforeEach(async () => {
      under = await make();
      storage = under.storage;
    });
    afterEach(async () => {
      await under.cleanUp?.();
    });

    const all = (at = key): Promise<Buffer | undefined> => storage.get(at, { offset: 0, length: 64 * 1024 * 1024 });
    const put = (text: string, at = key): Promise<'stored' | 'exists'> => storage.put(at, bodyOf(Buffer.from(text)));
    const codeOf = async (promise: Promise<unknown>): Promise<string> => {
      try {
        await promise;
        return 'no error';
      } catch (error) {
        return error instanceof SluiceError ? error.code : String(error);
      }
    };

    test('has a description', () => {
      expect(storage.description).not.toBe('');
    });

    test('what was never put is not found', async () => {
      await put('there', other);
      expect(await storage.stat(key)).toBeUndefined();
      expect(await all()).toBeUndefined();
    });

    test('a parent of a key and a key below a key are not found', async () => {
      await put('there');
      const parent = storageKey('shared/packs');
      const below = storageKey(`${key}/below`);
      expect([await storage.stat(parent), await all(parent)]).toEqual([undefined, undefined]);
      expect([await storage.stat(below), await all(below)]).toEqual([undefined, undefined]);
    });

    test('gives back what was put', async () => {
      expect(await put('hello')).toBe('stored');
      expect((await storage.stat(key))?.bytes).toBe(5);
      expect((await all())?.toString()).toBe('hello');
    });

    test('keeps an empty object', async () => {
      expect(await storage.put(key, bodyOf())).toBe('stored');
      expect((await storage.stat(key))?.bytes).toBe(0);
      expect((await all())?.length).toBe(0);
    });

    test('takes a body of many chunks, empty ones too, from an async source', async () => {
      const chunks = [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c'), randomBytes(3_000_001)];
      const whole = Buffer.concat(chunks);
      const body: Body = {
        bytes: whole.length,
        chunks: async function* () {
          for (const chunk of chunks) yield chunk;
        },
      };
      await storage.put(key, body);
      const back = await all();
      expect(back?.length).toBe(whole.length);
      expect(
        createHash('sha256')
          .update(back ?? '')
          .digest('hex'),
      ).toBe(createHash('sha256').update(whole).digest('hex'));
    });

    test('replaces an object', async () => {
      await put('first, longer');
      expect(await put('second')).toBe('stored');
      expect((await all())?.toString()).toBe('second');
    });

    test('with ifAbsent the first object stays', async () => {
      expect(await storage.put(key, bodyOf(Buffer.from('first')), { ifAbsent: true })).toBe('stored');
      expect(await storage.put(key, bodyOf(Buffer.from('second')), { ifAbsent: true })).toBe('exists');
      expect((await all())?.toString()).toBe('first');
    });

    test('of several writers with ifAbsent exactly one is told that its object is kept', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => storage.put(key, bodyOf(Buffer.from(`writer ${i}`)), { ifAbsent: true })),
      );
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
      expect((await all())?.toString()).toBe(`writer ${answers.indexOf('stored')}`);
    });

    test('several writers of one key leave one whole object', async () => {
      const bodies = Array.from({ length: 8 }, (_, i) => Buffer.alloc(200_000, i));
      await Promise.all(bodies.map((bytes) => storage.put(key, bodyOf(bytes))));
      const back = await all();
      expect(bodies.some((bytes) => back?.equals(bytes) === true)).toBe(true);
    });

    test('a body that fails leaves nothing, and its error comes through', async () => {
      const failing = (error: Error): Body => ({
        bytes: 6,
        chunks: function* () {
          yield Buffer.from('abc');
          throw error;
        },
      });
      const missing = Object.assign(new Error('local file is gone'), { code: 'ENOENT' });
      await expect(storage.put(key, failing(missing))).rejects.toBe(missing);
      expect(await storage.stat(key)).toBeUndefined();
      await put('sound');
      await expect(storage.put(key, failing(new Error('again')))).rejects.toThrow('again');
      expect((await all())?.toString()).toBe('sound');
    });

    test('a body of another length than it says leaves nothing', async () => {
      const short: Body = { bytes: 6, chunks: () => [Buffer.from('abc')] };
      const long: Body = { bytes: 2, chunks: () => [Buffer.from('abc')] };
      await expect(storage.put(key, short)).rejects.toThrow();
      await expect(storage.put(key, long)).rejects.toThrow();
      expect(await storage.stat(key)).toBeUndefined();
    });

    test('gives ranges', async () => {
      const bytes = randomBytes(100_000);
      await storage.put(key, bodyOf(bytes));
      for (const [offset, length] of [
        [0, 1],
        [99_999, 1],
        [4095, 4098],
        [50_000, 50_000],
        [0, 100_000],
      ] as const) {
        expect((await storage.get(key, { offset, length }))?.equals(bytes.subarray(offset, offset + length))).toBe(
          true,
        );
      }
    });

    test('a range ends where the object ends', async () => {
      await put('0123456789');
      expect((await storage.get(key, { offset: 8, length: 100 }))?.toString()).toBe('89');
      expect((await storage.get(key, { offset: 10, length: 5 }))?.length).toBe(0);
      expect((await storage.get(key, { offset: 999, length: 5 }))?.length).toBe(0);
      expect((await storage.get(key, { offset: 3, length: 0 }))?.length).toBe(0);
    });

    test('an aborted call is an interruption and changes nothing', async () => {
      const signal = AbortSignal.abort();
      await put('kept', other);
      expect(await codeOf(storage.stat(other, { signal }))).toBe('ERR_INTERRUPTED');
      expect(await codeOf(storage.get(other, { offset: 0, length: 1 }, { signal }))).toBe('ERR_INTERRUPTED');
      expect(await codeOf(storage.put(key, bodyOf(Buffer.from('x')), { signal }))).toBe('ERR_INTERRUPTED');
      expect(await storage.stat(key)).toBeUndefined();
    });

    test('a put that is aborted half way leaves nothing', async () => {
      const controller = new AbortController();
      const body: Body = {
        bytes: 6,
        chunks: function* () {
          yield Buffer.from('abc');
          controller.abort();
          yield Buffer.from('def');
        },
      };
      expect(await codeOf(storage.put(key, body, { signal: controller.signal }))).toBe('ERR_INTERRUPTED');
      expect(await storage.stat(key)).toBeUndefined();
    });

    test('can be flushed at any time, and what was put is there before and after', async () => {
      if (storage.flush === undefined) return;
      await storage.flush();
      await put('small');
      await storage.put(other, bodyOf(randomBytes(300_000)));
      expect((await all())?.toString()).toBe('small');
      await storage.flush();
      await storage.flush();
      expect((await all())?.toString()).toBe('small');
      expect((await storage.stat(other))?.bytes).toBe(300_000);
      expect(await codeOf(storage.flush({ signal: AbortSignal.abort() }))).toBe('ERR_INTERRUPTED');
    });

    test('deletes; a second time is no error', async () => {
      if (storage.delete === undefined) return;
      await put('x');
      await put('y', other);
      await storage.delete(key);
      await storage.delete(key);
      expect(await storage.stat(key)).toBeUndefined();
      expect((await all(other))?.toString()).toBe('y');
    });

    test('lists what lies below a prefix, sorted', async () => {
      if (storage.list === undefined) return;
      const keys = ['shared/maps/ab/1', 'shared/maps/ab-c', 'shared/maps/ab', 'shared/mapsmore', 'trusted/a', 'a'];
      // On a directory one key cannot be a file and a directory at once; the format never asks for it.
      const possible = keys.filter((text) => text !== 'shared/maps/ab');
      for (const text of possible) await put(text, storageKey(text));
      const list = async (prefix: string): Promise<ListedObject[]> => {
        const listed: ListedObject[] = [];
        for await (const object of storage.list?.(prefix === '' ? '' : storageKey(prefix)) ?? []) listed.push(object);
        return listed;
      };
      expect((await list('')).map((object) => object.key)).toEqual([...possible].sort());
      expect((await list('shared/maps')).map((object) => object.key)).toEqual(['shared/maps/ab-c', 'shared/maps/ab/1']);
      expect((await list('trusted/a')).map(({ key: found, bytes }) => [found, bytes])).toEqual([['trusted/a', 9]]);
      expect(await list('pr')).toEqual([]);
    });
  });
}
