import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { bucketPlace, directoryPlace, type Place } from '../testing/places.js';
import { useFaultProxy, useS3Server } from '../testing/s3.js';
import { useTempDir } from '../testing/temp-dir.js';

/*
 * A remote that gives other bytes than it was given, or none, or says that it has what it has not. Whatever it is: it is noticed by its code and never served, another
 * remote gives what is needed or the stage runs again, and whoever has the data heals it.
 */

const { server, direct, newBucket } = useS3Server();
const proxy = useFaultProxy(server);
const temp = useTempDir();
const opened: Engine[] = [];
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

const directory = async (): Promise<Place> => directoryPlace(temp('liar'));
const bucket = async (): Promise<Place> => bucketPlace(direct(), await newBucket(), proxy().endpoint);

const LARGE_BYTES = 8 * 1024 * 1024 + 1;
const RAN = 'echo ran >> ../runs; mkdir out; sort in > out/sorted; wc -l < in > out/lines';
const tracked = (out: string): object => ({
  executor: '@sluice/nx:track',
  options: { outs: [`{projectRoot}/${out}`] },
});
const MAKE = {
  executor: '@sluice/nx:stage',
  options: { command: RAN, deps: ['{projectRoot}/in'], outs: ['{projectRoot}/out'] },
};

function write(path: string, content: string | Buffer | object): void {
  fs.mkdirSync(dirname(temp(path)), { recursive: true });
  fs.writeFileSync(
    temp(path),
    typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
  );
}

async function open(workspace: string, place: Place): Promise<Engine> {
  const remotes = { liar: place.remote, honest: { url: `file://${temp('honest')}` } };
  write(`${workspace}/nx.json`, {});
  write(`${workspace}/sluice.json`, { defaultRemote: 'liar', remotes });
  write(`${workspace}/p/project.json`, {
    name: 'p',
    targets: { data: tracked('data'), large: tracked('large'), make: MAKE },
  });
  write(`${workspace}/p/in`, 'c\na\nb\n');
  const engine = await openEngine({ root: temp(workspace), env: process.env, threads: 0 });
  opened.push(engine);
  return engine;
}

const run = (engine: Engine) =>
  engine.runStage({ id: { project: 'p', target: 'make' } }, { force: false, wait: true, materialize: true });

/** A workspace whose data is on both remotes. */
async function origin(place: Place): Promise<Engine> {
  for (let i = 0; i < 5; i++) write(`origin/p/data/${i}`, `number ${i}`);
  for (const i of [1, 2]) write(`origin/p/large/${i}`, randomBytes(LARGE_BYTES + i));
  const engine = await open('origin', place);
  await engine.commit({ select: ['p:data', 'p:large'] });
  expect((await run(engine)).outcome).toBe('ran');
  await engine.push({ select: [], remotes: ['honest', 'liar'] });
  return engine;
}

let clones = 0;
/** Another workspace that knows nothing but the locks, or not even them. */
async function clone(place: Place, withLock = true): Promise<Engine & { readonly name: string }> {
  const name = `clone-${++clones}`;
  const engine = await open(name, place);
  if (withLock) fs.copyFileSync(temp('origin/p/sluice-lock.json'), temp(name, 'p/sluice-lock.json'));
  return { ...engine, name };
}

/** SHA-256 of the files of an out. */
function hashesOf(workspace: string, out: string): Record<string, string> {
  const names = fs.readdirSync(temp(workspace, 'p', out));
  const hashOf = (name: string): string =>
    createHash('sha256')
      .update(fs.readFileSync(temp(workspace, 'p', out, name)))
      .digest('hex');
  return Object.fromEntries(names.map((name) => [name, hashOf(name)]));
}

const KINDS = {
  packs: /\/packs\//,
  'large blobs': /\/blobs\//,
  maps: /\/maps\//,
  records: /\/records\//,
} as const;
type Kind = keyof typeof KINDS;

const LIES: Record<string, (place: Place, keys: readonly string[]) => Promise<void>> = {
  truncated: async (place, keys) => {
    for (const key of keys) {
      const bytes = await place.read(key);
      // Not only an index at the end.
      await place.write(key, bytes.subarray(0, 60));
    }
  },
  altered: async (place, keys) => {
    for (const key of keys) {
      const bytes = await place.read(key);
      // All that is not a header of objects, footer or index.
      for (let at = 60; at < bytes.length - 40; at += 16) bytes[at] = (bytes[at] ?? 0) ^ 1;
      await place.write(key, bytes);
    }
  },
  missing: async (place, keys) => {
    for (const key of keys) await place.remove(key);
  },
  swapped: async (place, keys) => {
    const contents = await Promise.all(keys.map((key) => place.read(key)));
    for (const [i, key] of keys.entries())
      await place.write(key, contents[(i + 1) % contents.length] ?? Buffer.alloc(0));
  },
};

const CODES: Record<Exclude<Kind, 'records'>, RegExp> = {
  packs: /^ERR_OBJECT_(MISSING|DAMAGED)$/,
  'large blobs': /^ERR_OBJECT_(MISSING|DAMAGED)$/,
  maps: /^ERR_(MAP_INVALID|NOT_LOCAL|OBJECT_DAMAGED)$/,
};

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);

describe.each([
  ['a directory', directory],
  ['a bucket', bucket],
])('%s', (_, makePlace) => {
  test.each(Object.keys(LIES))(
    'with objects that are %s: noticed, had from elsewhere or made again, and healed',
    async (lie) => {
      const place = await makePlace();
      const from = await origin(place);
      for (const [kind, pattern] of Object.entries(KINDS) as [Kind, RegExp][]) {
        // One record has none to be swapped with.
        if (lie === 'swapped' && kind === 'records') continue;
        const out = kind === 'large blobs' ? 'large' : 'data';
        const select = [`p:${out}`];
        const keys = (await place.keys()).filter((key) => pattern.test(key)).sort();
        expect([kind, keys.length > (kind === 'records' ? 0 : 1)]).toEqual([kind, true]);
        await LIES[lie]?.(place, keys);

        const both = await clone(place);
        if (kind !== 'records') {
          const code = await both.fetch({ select, remotes: ['liar'] }).then(() => 'nothing', codeOf);
          expect([kind, code]).toEqual([kind, expect.stringMatching(CODES[kind])]);
        }
        await both.pull({ select });
        expect(hashesOf(both.name, out)).toEqual(hashesOf('origin', out));
        expect((await both.verify({ deep: true })).findings).toEqual([]);

        fs.renameSync(temp('honest'), temp('away'));
        const maker = await clone(place, false);
        expect([kind, (await run(maker)).outcome]).toEqual([kind, kind === 'large blobs' ? 'restored' : 'ran']);
        expect(hashesOf(maker.name, 'out')).toEqual(hashesOf('origin', 'out'));
        fs.renameSync(temp('away'), temp('honest'));

        if (kind === 'records') await from.push({ select: [], remotes: ['liar'] });
        else {
          const { findings } = await from.verifyRemote({ remote: 'liar', deep: true, repair: true });
          expect([kind, findings.length > 0, findings.every(({ repaired }) => repaired)]).toEqual([kind, true, true]);
        }
        const healed = await clone(place, false);
        expect([kind, (await run(healed)).outcome]).toEqual([kind, 'restored']);
        expect((await from.verifyRemote({ remote: 'liar', deep: true })).findings).toEqual([]);
      }
    },
  );
});

test('a bucket that has a map and not what it names, and one that says it has a map and does not', async () => {
  const place = await bucket();
  await origin(place);
  // HEAD says yes, GET says no, also when asked again: of the pack, then of the map itself.
  for (const [key, method] of [
    ['packs', 'GET'],
    ['maps', 'GET'],
  ]) {
    proxy().inject(new RegExp(`^${method} .*/shared/${key}/`), { kind: 'status', status: 404, code: 'NoSuchKey' }, 2);
    const maker = await clone(place, false);
    fs.renameSync(temp('honest'), temp('away'));
    expect([key, (await run(maker)).outcome]).toEqual([key, 'ran']);
    expect(hashesOf(maker.name, 'out')).toEqual(hashesOf('origin', 'out'));
    fs.renameSync(temp('away'), temp('honest'));
    expect(await maker.status({ select: ['p:make'], remotes: ['liar'] })).toMatchObject({
      stages: [{ outs: [{ remote: { liar: 'complete' } }] }],
    });
    await maker.close();
  }
});

test('a stale listing: what relies on no listing goes on, and what lists counts what is there', async () => {
  const place = await bucket();
  const from = await origin(place);
  const before = await from.remoteStat('liar');
  const [old = ''] = (await place.keys()).filter((key) => KINDS.maps.test(key));
  write('origin/p/data/0', 'another');
  await from.commit({ select: ['p:data'] });
  const pushed = await from.push({ select: [], remotes: ['liar'] });
  expect(pushed).toMatchObject({ files: { sent: 1 }, requests: { list: 0 } });
  expect((await from.remoteStat('liar')).blobs).toBe(before.blobs + 1);
  // An old map is gone, and the listing does not know it, nor what was pushed since.
  await place.remove(old);
  proxy().inject(/list-type=2/, { kind: 'stale' });
  expect(await from.remoteStat('liar')).toMatchObject({ bytes: before.bytes, packs: before.packs });
  const fresh = await clone(place);
  expect(await fresh.pull({ select: ['p:data'] })).toMatchObject({ requests: { list: 0 } });
  expect(hashesOf(fresh.name, 'data')).toEqual(hashesOf('origin', 'data'));
  expect((await from.verifyRemote({ remote: 'liar' })).findings.length).toBeLessThanOrEqual(1);
});
