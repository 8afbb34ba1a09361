import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import { decodeMap, parseMapHeader } from '../model/map.js';
import { fingerprintOf } from '../model/parts.js';
import { parseRecord, printRecord } from '../model/record.js';
import {
  type Actor,
  type ActorOptions,
  dataOf,
  fanned,
  MAIN,
  made,
  recordOf,
  run,
  STRICT,
  useActors,
} from '../testing/actors.js';
import { type Eve, eveIn, evilRecord, renamedMap } from '../testing/eve.js';
import { bucketPlace, directoryPlace, type Place } from '../testing/places.js';
import { useS3Server } from '../testing/s3.js';
import { useTempDir } from '../testing/temp-dir.js';

/* First Eve has the role of a pull request, which writes below `pr/7/`. Then she has the credentials of `main`, but not its key. */

const { server, direct, newBucket } = useS3Server();
const temp = useTempDir();
const open = new Set<Engine>();
afterEach(async () => {
  for (const engine of open) await engine.close();
  open.clear();
});
const people = useActors(temp);
const { actor, foreseen } = people;

/** What main has pushed of its stage. */
async function pushedBy(place: Place, options: ActorOptions): Promise<Actor> {
  const main = await actor(place, options);
  expect(await run(main)).toBe('ran');
  await main.engine.push({ select: ['p:make'] });
  return main;
}

/** Main runs on a fresh clone that has no lock, and makes what is right. */
async function expectRun(place: Place, options: ActorOptions, expected = 'input'): Promise<string[]> {
  const main = await actor(place, options);
  expect(await run(main)).toBe('ran');
  expect(made(main)).toBe(expected);
  expect(main.decisions()).toEqual([{ decision: 'run', reasons: expect.stringContaining('"kind"') }]);
  const warnings = main.warnings();
  // What comes after is right again.
  await main.engine.push({ select: ['p:make'] });
  const next = await actor(place, options);
  expect(await run(next)).toBe('restored');
  expect(made(next)).toBe(expected);
  return warnings;
}

async function expectRestored(place: Place, options: ActorOptions): Promise<void> {
  const main = await actor(place, options);
  expect(await run(main)).toBe('restored');
  expect(made(main)).toBe('input');
  expect(main.warnings()).toEqual([]);
}

/** Main has two versions of a dataset that is nowhere else, of which only its record names the first. */
async function withOnlyCopy(place: Place, options: ActorOptions): Promise<Actor> {
  const main = await actor(place, { ...options, data: 'the only copy' });
  await main.engine.commit({ select: ['p:data'] });
  return main;
}

const garbage = (length: number): Buffer => Buffer.alloc(length, 'eve');
const refusal = (code: string): unknown => expect.stringMatching(new RegExp(`^${code}: remote main is not believed: `));

describe.each([
  ['a directory', async () => directoryPlace(temp('remote'))],
  ['a bucket', async () => bucketPlace(direct(), await newBucket(), server().endpoint)],
])('%s', (_, makePlace) => {
  describe('with the role of a pull request', () => {
    test('a record of what main will make is not read by main', async () => {
      const place = await makePlace();
      const eve = eveIn(people, place, 'pr/7');
      const record = await foreseen();
      await eve.writeRecord(evilRecord(record, await eve.evil()));
      // It is a trap: who believes the area falls into it.
      const pull = await actor(place, { area: 'pr/7' });
      expect(await run(pull)).toBe('restored');
      expect(made(pull)).toBe('evil');
      expect(await expectRun(place, MAIN)).toEqual([]);
    });

    test('what her run has left in the store of a runner is not what main makes there later', async () => {
      const place = await makePlace();
      // Her branch changed what the command does, by something that the stage does not declare, so the fingerprint is that of main.
      const pull = await actor(place, { area: 'pr/7', input: 'evil' });
      expect(await run(pull)).toBe('ran');
      const evil = recordOf(pull);
      const honest = await foreseen();
      const main = await actor(place, MAIN);
      fs.cpSync(pull.at('.sluice'), main.at('.sluice'), { recursive: true });
      fs.rmSync(main.at('.sluice/records'), { recursive: true });
      const file = main.at(`.sluice/records/${fanned(honest.fingerprint)}.json`);
      fs.mkdirSync(dirname(file), { recursive: true });
      fs.writeFileSync(file, printRecord({ ...evil, fingerprint: honest.fingerprint, parts: honest.parts }));
      expect(await run(main)).toBe('ran');
      expect(made(main)).toBe('input');
      expect(recordOf(main)).toMatchObject({ area: 'trusted', outs: honest.outs });
      await main.engine.push({ select: ['p:make'] });
      await expectRestored(place, MAIN);
    });

    test('a record that says to lie in the trusted area is told as a lie', async () => {
      const place = await makePlace();
      const eve = eveIn(people, place, 'pr/7');
      const record = evilRecord(await foreseen(), await eve.evil());
      await eve.write(`records/${fanned(record.fingerprint)}.json`, printRecord({ ...record, area: 'trusted' }));
      expect(await expectRun(place, { area: 'pr/7' })).toContainEqual(refusal('ERR_RECORD_INVALID'));
    });

    test('packs under the names of those of main, and a tree of another name, are not read by main', async () => {
      const place = await makePlace();
      await pushedBy(place, MAIN);
      const eve = eveIn(people, place, 'pr/7');
      for (const key of await place.keys())
        if (key.startsWith('trusted/packs/')) await eve.write(key.slice('trusted/'.length), garbage(1000));
      const [root] = (await foreseen()).outs.values();
      if (root === undefined) throw new Error('no out');
      const evil = await eve.evil();
      const map = await place.read(`pr/7/maps/${fanned(evil.digest)}.map`);
      await eve.write(`maps/${fanned(root.digest)}.map`, renamedMap(map, root));
      await expectRestored(place, MAIN);
    });

    test('a map that says that a root is whole keeps main from neither pushing nor keeping it', async () => {
      const place = await makePlace();
      const eve = eveIn(people, place, 'pr/7');
      const { root, map } = await eve.mapOf('the only copy');
      await eve.write(`maps/${fanned(root.digest)}.map`, map);
      const main = await withOnlyCopy(place, MAIN);
      expect(dataOf(main)).toEqual(root);
      fs.writeFileSync(main.at('p/data/file'), 'a second version');
      await main.engine.commit({ select: ['p:data'] });
      expect(await main.engine.gc({})).toMatchObject({ removed: { blobs: 0 }, keptUnpushed: { blobs: 1 } });
      fs.writeFileSync(main.at('p/data/file'), 'the only copy');
      await main.engine.commit({ select: ['p:data'] });
      expect(await main.engine.push({ select: ['p:data'] })).toMatchObject({ files: { sent: 1 } });
    });

    test('an old record of main under a new fingerprint is not read by main', async () => {
      const place = await makePlace();
      const before = recordOf(await pushedBy(place, { ...MAIN, input: 'before' }));
      const now = await foreseen();
      const eve = eveIn(people, place, 'pr/7');
      await eve.writeRecord({ ...before, fingerprint: now.fingerprint, parts: now.parts });
      expect(await expectRun(place, MAIN)).toEqual([]);
    });
  });

  describe('with the credentials of main, against trust: strict', () => {
    const eveOn = (place: Place): Eve => eveIn(people, place, 'trusted');

    test('a record of what main will make is refused', async () => {
      const place = await makePlace();
      const eve = eveOn(place);
      await eve.writeRecord(evilRecord(await foreseen(), await eve.evil()));
      const careless = await actor(place, MAIN);
      expect(await run(careless)).toBe('restored');
      expect(made(careless)).toBe('evil');
      expect(await expectRun(place, STRICT)).toContainEqual(refusal('ERR_SIGNATURE'));
    });

    test('a record that somebody else has signed is refused', async () => {
      const place = await makePlace();
      const eve = eveOn(place);
      const record = evilRecord(await foreseen(), await eve.evil());
      await eve.writeRecord({ ...record, signature: garbage(32) });
      expect(await expectRun(place, STRICT)).toContainEqual(refusal('ERR_SIGNATURE'));
    });

    test('packs with other bytes are refused when they are read', async () => {
      const place = await makePlace();
      await pushedBy(place, STRICT);
      for (const key of await place.keys()) {
        if (!key.startsWith('trusted/packs/')) continue;
        const bytes = await place.read(key);
        garbage(bytes.length - 100).copy(bytes, 60);
        await place.write(key, bytes);
      }
      const main = await actor(place, STRICT);
      expect(await run(main)).toBe('ran');
      expect(made(main)).toBe('input');
      const [restore, instead] = main.decisions();
      expect([restore?.decision, instead?.decision]).toEqual(['restore', 'run']);
      expect(instead?.reasons).toMatch(/tree sha256:[0-9a-f]{12} is damaged/);
    });

    test('a map that says that a root is whole keeps main from neither pushing nor keeping it', async () => {
      const place = await makePlace();
      const eve = eveOn(place);
      const { root, map } = await eve.mapOf('the only copy');
      const plant = (): Promise<void> => eve.write(`maps/${fanned(root.digest)}.map`, map);
      await plant();
      const careless = await withOnlyCopy(place, MAIN);
      expect(await careless.engine.push({ select: ['p:data'] })).toMatchObject({ files: { sent: 0 } });

      const main = await withOnlyCopy(place, STRICT);
      expect(dataOf(main)).toEqual(root);
      fs.writeFileSync(main.at('p/data/file'), 'a second version');
      await main.engine.commit({ select: ['p:data'] });
      expect(await main.engine.gc({})).toMatchObject({ removed: { blobs: 0 }, keptUnpushed: { blobs: 1 } });
      expect(main.warnings()).toContainEqual(refusal('ERR_SIGNATURE'));
      fs.writeFileSync(main.at('p/data/file'), 'the only copy');
      await main.engine.commit({ select: ['p:data'] });
      expect(await main.engine.push({ select: ['p:data'] })).toMatchObject({ files: { sent: 1 } });
      expect(main.warnings()).toContainEqual(refusal('ERR_SIGNATURE'));
      // The data is there now, and signed.
      const other = await actor(place, STRICT);
      fs.copyFileSync(main.at('p/sluice-lock.json'), other.at('p/sluice-lock.json'));
      expect(await other.engine.pull({ select: ['p:data'] })).toMatchObject({ files: { received: 1 } });
      expect(fs.readFileSync(other.at('p/data/file'), 'utf8')).toBe('the only copy');
      expect(parseMapHeader(await place.read(`trusted/maps/${fanned(root.digest)}.map`), 'main').signed).toBeDefined();
      // Nor does a signed one whose packs somebody has taken away.
      for (const key of await place.keys()) if (key.startsWith('trusted/packs/')) await place.remove(key);
      expect(await main.engine.push({ select: ['p:data'] })).toMatchObject({ files: { sent: 1 } });
    });

    test('a map of something else does not teach what need not be sent', async () => {
      const place = await makePlace();
      const eve = eveOn(place);
      const { root, map } = await eve.mapOf('first');
      await eve.write(`maps/${fanned(root.digest)}.map`, map);
      for (const pack of decodeMap(map, 'eve').front.packs)
        await eve.write(`packs/${pack.raw.toString('hex')}.pack`, garbage(10_000));
      const main = await actor(place, { ...STRICT, data: 'first' });
      await main.engine.commit({ select: ['p:data'] });
      fs.writeFileSync(main.at('p/data/second'), 'second');
      await main.engine.commit({ select: ['p:data'] });
      expect(await main.engine.push({ select: ['p:data'] })).toMatchObject({ files: { sent: 2 } });
    });

    test('an old record under a new fingerprint is refused, as it is and made to fit', async () => {
      const place = await makePlace();
      await pushedBy(place, { ...STRICT, input: 'before' });
      const [key = ''] = (await place.keys()).filter((name) => name.startsWith('trusted/records/'));
      const before = parseRecord((await place.read(key)).toString(), key);
      expect(before.signature).toBeDefined();
      const now = await foreseen();
      const eve = eveOn(place);
      await eve.write(`records/${fanned(now.fingerprint)}.json`, await place.read(key));
      expect(await expectRun(place, STRICT)).toContainEqual(refusal('ERR_RECORD_INVALID'));
      expect(fingerprintOf(now.parts)).toBe(now.fingerprint);
      await eve.writeRecord({ ...before, fingerprint: now.fingerprint, parts: now.parts });
      expect(await expectRun(place, STRICT)).toContainEqual(refusal('ERR_SIGNATURE'));
    });

    test('another tree in a record, and under the name of one, is refused', async () => {
      const place = await makePlace();
      await pushedBy(place, STRICT);
      const [key = ''] = (await place.keys()).filter((name) => name.startsWith('trusted/records/'));
      const honest = parseRecord((await place.read(key)).toString(), key);
      const eve = eveOn(place);
      const evil = await eve.evil();
      await eve.writeRecord(evilRecord(honest, evil));
      expect(await expectRun(place, STRICT)).toContainEqual(refusal('ERR_SIGNATURE'));
      const [root] = honest.outs.values();
      if (root === undefined) throw new Error('no out');
      const map = await place.read(`trusted/maps/${fanned(evil.digest)}.map`);
      await eve.write(`maps/${fanned(root.digest)}.map`, renamedMap(map, root));
      const main = await actor(place, STRICT);
      expect(await run(main)).toBe('ran');
      expect(made(main)).toBe('input');
    });

    test('executors, who have no key, are kept from it by the process that serves them, which signs what they send', async () => {
      const place = await makePlace();
      const eve = eveOn(place);
      await eve.writeRecord(evilRecord(await foreseen(), await eve.evil()));
      const host = await actor(place, STRICT);
      const served = await host.engine.serveRemotes({ mayWrite: true, dir: tmpdir() });
      expect(served.env).toMatchObject({ SLUICE_BROKER_TRUST: 'strict' });
      const root = dirname(host.at('nx.json'));
      const env = { PATH: process.env.PATH, ...served.env };
      const executor = await openEngine({ root, env, threads: 0 });
      open.add(executor);
      expect(await run({ ...host, engine: executor })).toBe('ran');
      expect(made(host)).toBe('input');
      expect(host.warnings()).toContainEqual(refusal('ERR_SIGNATURE'));
      fs.writeFileSync(host.at('p/in'), 'another input');
      expect(await run({ ...host, engine: executor })).toBe('ran');
      await executor.push({ select: ['p:make'] });
      const { outs, fingerprint } = await foreseen('another input');
      const stored = await place.read(`trusted/records/${fanned(fingerprint)}.json`);
      expect(parseRecord(stored.toString(), 'main').signature).toBeDefined();
      for (const { digest } of outs.values())
        expect(parseMapHeader(await place.read(`trusted/maps/${fanned(digest)}.map`), 'main').signed).toBeDefined();
      const other = await actor(place, { ...STRICT, input: 'another input' });
      expect(await run(other)).toBe('restored');
      expect(made(other)).toBe('another input');
    });
  });
});
