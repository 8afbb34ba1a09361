import { randomBytes } from 'node:crypto';
import { digestOf, hexOf } from '../model/digest.js';
import { fingerprintOf, type Part } from '../model/parts.js';
import { parseRelPath } from '../model/path.js';
import { printRecord, type StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { faulty } from '../testing/faulty-storage.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { storeFiles, temporaryStore } from '../testing/store-files.js';
import type { Area } from './areas.js';
import { mapKey, recordKey } from './keys.js';
import { pushRoots } from './push.js';
import { readRecord, writeRecord } from './records.js';
import { openRemote, type Remote } from './remote.js';

let storage: MemoryStorage;
let temporary: ReturnType<typeof temporaryStore>;
beforeEach(() => {
  storage = memoryStorage();
  temporary = temporaryStore();
});
afterEach(() => temporary.remove());

const open = (area: Area): Remote => openRemote({ storage, area });
const parts: Part[] = [{ kind: 'command', name: '', value: 'node make.mjs' }];
const fingerprint = fingerprintOf(parts);
const out = parseRelPath('data/out');
const recordOf = (root: OutRoot, area: Area): StageRecord => ({
  fingerprint,
  tracked: false,
  parts,
  outs: new Map([[out, root]]),
  stage: { project: 'p', target: 't' },
  made: { at: '2026-11-21T00:00:00.000Z', ms: 12 },
  area,
});
/** A root that is complete in an area. */
const pushed = async (area: Area): Promise<OutRoot> => {
  const root = await storeFiles(temporary.store, { a: randomBytes(10) });
  await pushRoots({ remote: open(area), store: temporary.store, roots: [{ root }] });
  return root;
};

test('a record is found again, with its area', async () => {
  const root = await pushed('shared');
  const record = recordOf(root, 'shared');
  expect(await readRecord(open('shared'), fingerprint)).toBeUndefined();
  expect(await writeRecord(open('shared'), record)).toEqual({ kind: 'written' });
  expect(await readRecord(open('shared'), fingerprint)).toEqual({ record, area: 'shared', missing: [] });
});

test('the same result again changes nothing, another one is reported and stays away', async () => {
  const record = recordOf(await pushed('shared'), 'shared');
  await writeRecord(open('shared'), record);
  const later = { ...record, made: { at: '2027-01-01T00:00:00.000Z', ms: 1 } };
  expect(await writeRecord(open('shared'), later)).toEqual({ kind: 'same' });
  const different = recordOf(await pushed('shared'), 'shared');
  expect(await writeRecord(open('shared'), different)).toEqual({ kind: 'different', existing: record });
  expect((await readRecord(open('shared'), fingerprint))?.record).toEqual(record);
});

test('a record whose data is gone is told so, and is replaced by the next', async () => {
  const root = await pushed('shared');
  await writeRecord(open('shared'), recordOf(root, 'shared'));
  storage.objects.delete(mapKey('shared', root.digest));
  expect(await readRecord(open('shared'), fingerprint)).toMatchObject({ missing: [out] });
  const next = recordOf(await pushed('shared'), 'shared');
  expect(await writeRecord(open('shared'), next)).toEqual({ kind: 'replaced' });
  expect((await readRecord(open('shared'), fingerprint))?.record).toEqual(next);
});

test('of two writers at once one is first', async () => {
  const records = [recordOf(await pushed('shared'), 'shared'), recordOf(await pushed('shared'), 'shared')];
  const answers = await Promise.all(records.map((record) => writeRecord(open('shared'), record)));
  expect(answers.map(({ kind }) => kind).sort()).toEqual(['different', 'written']);
});

describe('whose records are believed', () => {
  test.each<[Area, Area[]]>([
    ['trusted', ['trusted']],
    ['shared', ['trusted', 'shared']],
    ['pr/7', ['trusted', 'pr/7']],
  ])('%s believes %j', async (reader, believed) => {
    for (const writer of ['trusted', 'shared', 'pr/7', 'pr/8'] as const) {
      storage.objects.clear();
      await writeRecord(open(writer), recordOf(await pushed(writer), writer));
      const found = await readRecord(open(reader), fingerprint);
      expect(found?.area).toBe(believed.includes(writer) ? writer : undefined);
    }
  });

  test('trusted comes first, unless its data is gone', async () => {
    const trusted = await pushed('trusted');
    await writeRecord(open('trusted'), recordOf(trusted, 'trusted'));
    await writeRecord(open('shared'), recordOf(await pushed('shared'), 'shared'));
    expect(await readRecord(open('shared'), fingerprint)).toMatchObject({ area: 'trusted', missing: [] });
    storage.objects.delete(mapKey('trusted', trusted.digest));
    expect(await readRecord(open('shared'), fingerprint)).toMatchObject({ area: 'shared', missing: [] });
    for (const key of [...storage.objects.keys()].filter((name) => name.includes('/maps/')))
      storage.objects.delete(key);
    expect(await readRecord(open('shared'), fingerprint)).toMatchObject({ area: 'trusted', missing: [out] });
  });
});

describe('a record that lies', () => {
  test.each(['', '{}', 'not json', '{"version": 1}'])('counts as none and is replaced: %j', async (text) => {
    const root = await pushed('shared');
    storage.objects.set(recordKey('shared', fingerprint), Buffer.from(text));
    expect(await readRecord(open('shared'), fingerprint)).toBeUndefined();
    expect(await writeRecord(open('shared'), recordOf(root, 'shared'))).toEqual({ kind: 'replaced' });
  });

  test('also one of another fingerprint or of another area', async () => {
    const root = await pushed('shared');
    const other = digestOf('another fingerprint');
    await writeRecord(open('shared'), recordOf(root, 'shared'));
    const bytes = storage.objects.get(recordKey('shared', fingerprint)) ?? Buffer.alloc(0);
    storage.objects.set(recordKey('shared', other), bytes);
    storage.objects.set(recordKey('trusted', fingerprint), bytes);
    expect(await readRecord(open('shared'), other)).toBeUndefined();
    expect((await readRecord(open('shared'), fingerprint))?.area).toBe('shared');
    expect(await readRecord(open('trusted'), fingerprint)).toBeUndefined();
  });

  test('one of a newer Sluice counts as none and is never written over', async () => {
    const record = recordOf(await pushed('shared'), 'shared');
    const newer = Buffer.from(printRecord(record).replace('"version": 1', '"version": 3'));
    storage.objects.set(recordKey('shared', fingerprint), newer);
    expect(await readRecord(open('shared'), fingerprint)).toBeUndefined();
    await expect(writeRecord(open('shared'), record)).rejects.toMatchObject({ code: 'ERR_FORMAT_VERSION' });
    expect(storage.objects.get(recordKey('shared', fingerprint))).toBe(newer);
  });
});

test('a remote that is down is never a miss', async () => {
  const record = recordOf(await pushed('shared'), 'shared');
  await writeRecord(open('shared'), record);
  for (const method of ['get', 'stat'] as const) {
    const down = faulty(storage);
    // Both areas: the first that answers would do.
    for (let i = 0; i < 3; i++) down.inject(method, { kind: 'error', code: 'ERR_REMOTE_DOWN' }, /records|maps/);
    const remote = openRemote({ storage: down, area: 'shared' });
    await expect(readRecord(remote, fingerprint)).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
  }
  expect(hexOf(fingerprint)).toHaveLength(64);
});
