import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { printLock } from '../model/lock.js';
import { parseRelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { openStore } from '../store/store.js';
import { type TestRepository, tracked, useRepositories } from '../testing/repository.js';
import { useFaultProxy, useS3Server } from '../testing/s3.js';
import { storeFiles } from '../testing/store-files.js';

const { server, newBucket } = useS3Server();
const proxy = useFaultProxy(server);
const { create, clone } = useRepositories();
const MIB = 1024 * 1024;
const LONG_MS = 120_000;

/** A repository whose data was pushed to a bucket, past the proxy, and a clone that has nothing and asks through it. */
async function pushed(files: object, settings: object, prepare: (w: TestRepository) => Promise<void>) {
  const url = `s3://${await newBucket()}/data`;
  const w = await create({ 'p/project.json': tracked('{projectRoot}/data'), ...files });
  const remotes = (endpoint: string): object => ({ s3: { url, endpoint, ...settings } });
  w.write({ 'sluice.json': { defaultRemote: 's3', remotes: remotes(server().endpoint) } });
  await prepare(w);
  w.commit('data');
  await w.engine.push({ select: [] });
  const fresh = await clone(w, 'fresh');
  fresh.write({ 'sluice.local.json': { remotes: { s3: { endpoint: proxy().endpoint } } } });
  return fresh;
}

describe.each([
  ['under its own key', {}],
  ['in chunks', { chunking: true, compression: 'none' }],
])('1 MiB out of a large file that lies %s', (name, settings) => {
  test(
    'costs little more, wherever it begins',
    async () => {
      const large = randomBytes(160 * MIB);
      const fresh = await pushed({ 'p/data/a.txt': 'a', 'p/data/large.bin': large }, settings, async (w) => {
        await w.engine.commit({ select: [] });
      });
      for (const offset of [0, 100 * MIB + 12_345, 159 * MIB]) {
        const before = proxy().moved();
        const { chunks } = await fresh.engine.cat({ select: 'p:data#large.bin', range: { offset, length: MIB } });
        const came: Uint8Array[] = [];
        for await (const chunk of chunks) came.push(chunk);
        expect(Buffer.concat(came).equals(large.subarray(offset, offset + MIB))).toBe(true);
        const moved = proxy().moved() - before;
        expect(moved).toBeGreaterThan(MIB);
        // A chunk can be larger than a slice.
        expect(moved).toBeLessThan(name === 'in chunks' ? 6 * MIB : 2.2 * MIB);
      }
      expect(await fresh.engine.storeStat()).toMatchObject({ blobs: 0 });
    },
    LONG_MS,
  );
});

test(
  'a list of 100,000 files of a fresh clone costs less than 6 MB',
  async () => {
    const directories = Object.fromEntries(
      Array.from({ length: 100 }, (_, d) => [
        `day-${String(d).padStart(3, '0')}`,
        Object.fromEntries(
          Array.from({ length: 1000 }, (_, f) => [`measure-${String(f).padStart(5, '0')}.json`, randomBytes(16)]),
        ),
      ]),
    );
    const fresh = await pushed({}, {}, async (w) => {
      const store = openStore({ dir: w.at('.sluice'), durability: 'none' });
      const root: OutRoot = await storeFiles(store, directories);
      store.close();
      const outs = new Map([[parseRelPath('p/data'), root]]);
      const stage = { fingerprint: undefined, parts: [], outs };
      w.write({ 'p/sluice-lock.json': printLock({ stages: new Map([['data', stage]]) }) });
    });
    const { files, outs } = await fresh.engine.ls({ select: [] });
    expect([files, outs[0]?.entries.length]).toEqual([100_000, 100_100]);
    const moved = proxy().moved();
    expect(moved).toBeGreaterThan(100_000 * 32);
    expect(moved).toBeLessThan(6e6);
    // Listed again, and with the trees of the store alone, nothing moves.
    await fresh.engine.ls({ select: [] });
    expect(proxy().moved()).toBe(moved);
  },
  LONG_MS,
);

test(
  'one file of a flat directory of 10,294 costs a clone at most 128 KiB besides and 6 requests',
  async () => {
    const files = Array.from({ length: 10_294 }, (_, i) => [`p/data/image-${i}.txt`, `image ${i}\n`]);
    const fresh = await pushed(Object.fromEntries(files), {}, async (w) => {
      await w.engine.commit({ select: [] });
    });
    const before = proxy().moved();
    const pulled = await fresh.engine.pull({ select: ['p:data#image-7777.txt'] });
    expect(pulled).toMatchObject({ files: { received: 1 }, workspace: { written: 1 } });
    expect(readFileSync(fresh.at('p/data/image-7777.txt'), 'utf8')).toBe('image 7777\n');
    const { head, get, list, put } = pulled.requests;
    expect(head + get + list + put).toBeLessThanOrEqual(6);
    expect(proxy().moved() - before).toBeLessThanOrEqual(128 * 1024 + 'image 7777\n'.length);
  },
  LONG_MS,
);
