import { randomBytes } from 'node:crypto';
import type { SluiceError } from '../errors.js';
import { digestOf } from '../model/digest.js';
import { fingerprintOf, type Part } from '../model/parts.js';
import { parseRelPath } from '../model/path.js';
import { parseRecord, printRecord, type StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { type MemoryStorage, memoryStorage } from '../testing/memory-storage.js';
import { storeFiles, temporaryStore } from '../testing/store-files.js';
import type { Area } from './areas.js';
import { blobKey, mapKey, recordKey } from './keys.js';
import { pushRoots } from './push.js';
import { readRecord, writeRecord } from './records.js';
import { isComplete, openRemote, type Remote } from './remote.js';
import { NO_SIGNATURES, openSignatures, parseSigningKeys, type Signatures } from './signatures.js';
import { counting } from './storage/counting.js';
import { willStayComplete } from './will-stay.js';

const KEY = 'k'.repeat(32);
const NEXT_KEY = 'n'.repeat(32);
const strict = (...keys: string[]): Signatures => openSignatures(keys, { records: true, maps: true });

let storage: MemoryStorage;
let temporary: ReturnType<typeof temporaryStore>;
let refusals: SluiceError[];
beforeEach(() => {
  storage = memoryStorage();
  temporary = temporaryStore();
  refusals = [];
});
afterEach(() => temporary.remove());

const open = (area: Area, signatures: Signatures): Remote =>
  openRemote({ storage, area, signatures, onRefused: (problem) => refusals.push(problem) });
const out = parseRelPath('data/out');

function recordOf(root: OutRoot, area: Area, command = 'node make.mjs'): StageRecord {
  const parts: Part[] = [{ kind: 'command', name: '', value: command }];
  return {
    fingerprint: fingerprintOf(parts),
    tracked: false,
    parts,
    outs: new Map([[out, root]]),
    stage: { project: 'p', target: 't' },
    made: { at: '2026-11-21T00:00:00.000Z', ms: 12 },
    area,
  };
}

/** A root that is complete in an area. */
async function pushed(area: Area, signatures: Signatures): Promise<OutRoot> {
  const root = await storeFiles(temporary.store, { a: randomBytes(10) });
  await pushRoots({ remote: open(area, signatures), store: temporary.store, roots: [{ root }] });
  return root;
}

const textAt = (area: Area, { fingerprint }: StageRecord): string =>
  storage.objects.get(recordKey(area, fingerprint))?.toString() ?? '';
const codes = (): string[] => refusals.splice(0).map(({ code }) => code);

test('a record is these bytes, and its signature is that of the text without it', () => {
  const record = recordOf({ kind: 'blob', digest: digestOf('x'), exec: false, files: 1, bytes: 1 }, 'trusted');
  const signed = strict(KEY).signRecord(record);
  expect(printRecord(signed)).toMatchInlineSnapshot(`
"{
  "version": 2,
  "fingerprint": "sha256:1cc771deaeb5227cb9c62c511963af8f2c7768e77ffe88e9c04d0de8b97419c4",
  "parts": {
    "command": "node make.mjs"
  },
  "outs": {
    "data/out": { "blob": "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "bytes": 1 }
  },
  "stage": {
    "project": "p",
    "target": "t"
  },
  "made": {
    "at": "2026-11-21T00:00:00.000Z",
    "ms": 12
  },
  "area": "trusted",
  "signature": "hmac-sha256:4b378f3d2184479a80c625a0880e5874dbd5d33c234a7bf990d0e8dc8b00c13a"
}
"
`);
  expect(parseRecord(printRecord(signed), 'test')).toEqual(signed);
  expect(strict(NEXT_KEY, KEY).problemOfRecord(signed, 'test')).toBeUndefined();
  expect(NO_SIGNATURES.signRecord(signed)).toEqual(record);
});

test('whoever is strict believes what is signed, and whoever is not believes it too', async () => {
  const root = await pushed('trusted', strict(KEY));
  const record = recordOf(root, 'trusted');
  expect(await writeRecord(open('trusted', strict(KEY)), record)).toEqual({ kind: 'written' });
  for (const signatures of [strict(KEY), strict(NEXT_KEY, KEY), NO_SIGNATURES]) {
    const remote = open('trusted', signatures);
    expect(await readRecord(remote, record.fingerprint)).toMatchObject({ area: 'trusted', missing: [] });
    expect(await willStayComplete(remote, root, temporary.store.reader)).toBe(true);
  }
  const other = open('trusted', strict(NEXT_KEY));
  expect(await readRecord(other, record.fingerprint)).toBeUndefined();
  expect(await willStayComplete(other, root, temporary.store.reader)).toBe(false);
  expect(codes()).toEqual(['ERR_SIGNATURE', 'ERR_SIGNATURE']);
});

test('what is not signed is refused, and the next strict push replaces it', async () => {
  const root = await pushed('trusted', NO_SIGNATURES);
  const record = recordOf(root, 'trusted');
  await writeRecord(open('trusted', NO_SIGNATURES), record);
  const remote = open('trusted', strict(KEY));
  expect(await readRecord(remote, record.fingerprint)).toBeUndefined();
  expect(refusals[0]?.message).toMatch(/^record .* is not signed, and trust is strict$/);
  expect(await willStayComplete(remote, root, temporary.store.reader)).toBe(false);
  // Who looks for bytes needs no proof.
  expect(await isComplete(remote, root.digest)).toBe(true);
  expect(codes()).toEqual(['ERR_SIGNATURE', 'ERR_SIGNATURE']);

  const again = await pushRoots({ remote, store: temporary.store, roots: [{ root }] });
  expect(again).toMatchObject({ files: { sent: 1 } });
  expect(await writeRecord(remote, record)).toEqual({ kind: 'replaced' });
  expect(codes()).toEqual(['ERR_SIGNATURE', 'ERR_SIGNATURE']);
  expect(await willStayComplete(remote, root, temporary.store.reader)).toBe(true);
  expect(await readRecord(remote, record.fingerprint)).toMatchObject({ missing: [] });
  const third = await pushRoots({ remote, store: temporary.store, roots: [{ root }] });
  expect(third).toMatchObject({ files: { sent: 0, reused: 1 } });
  expect(codes()).toEqual([]);
});

test('a signed record is refused under another fingerprint, in another area, and with anything in it changed', async () => {
  const root = await pushed('trusted', strict(KEY));
  const evil = await pushed('trusted', strict(KEY));
  const record = recordOf(root, 'trusted');
  const other = recordOf(root, 'trusted', 'another command');
  await writeRecord(open('trusted', strict(KEY)), record);
  const text = textAt('trusted', record);
  const refused = async (area: Area, { fingerprint }: StageRecord, bytes: string): Promise<string[]> => {
    storage.objects.set(recordKey(area, fingerprint), Buffer.from(bytes));
    expect((await readRecord(open(area, strict(KEY)), fingerprint))?.area).not.toBe(area);
    storage.objects.delete(recordKey(area, fingerprint));
    return codes();
  };
  storage.objects.delete(recordKey('trusted', record.fingerprint));
  expect(await refused('shared', record, text)).toEqual(['ERR_RECORD_INVALID']);
  expect(await refused('shared', record, text.replace('"trusted"', '"shared"'))).toEqual(['ERR_SIGNATURE']);
  expect(await refused('trusted', other, text)).toEqual(['ERR_RECORD_INVALID']);
  const renamed = text.replaceAll(record.fingerprint, other.fingerprint);
  expect(await refused('trusted', other, renamed)).toEqual(['ERR_RECORD_INVALID']);
  const fitted = renamed.replace('node make.mjs', 'another command');
  expect(await refused('trusted', other, fitted)).toEqual(['ERR_SIGNATURE']);
  expect(await refused('trusted', record, text.replaceAll(root.digest, evil.digest))).toEqual(['ERR_SIGNATURE']);
  expect(await refused('trusted', record, text.replace('"ms": 12', '"ms": 13'))).toEqual(['ERR_SIGNATURE']);
  expect(text).toContain('"hmac-sha256:');
});

test('a signed map is refused in another area, and does not prove what is gone', async () => {
  const root = await pushed('shared', strict(KEY));
  const map = storage.objects.get(mapKey('shared', root.digest)) ?? Buffer.alloc(0);
  storage.objects.set(mapKey('trusted', root.digest), map);
  expect(await willStayComplete(open('trusted', strict(KEY)), root, temporary.store.reader)).toBe(false);
  expect(codes()).toEqual(['ERR_SIGNATURE']);
  for (const key of [...storage.objects.keys()].filter((name) => name.includes('/packs/'))) storage.objects.delete(key);
  expect(await willStayComplete(open('shared', strict(KEY)), root, temporary.store.reader)).toBe(false);
  const again = await pushRoots({ remote: open('shared', strict(KEY)), store: temporary.store, roots: [{ root }] });
  expect(again).toMatchObject({ files: { sent: 1 } });
});

test('for a root that is there already, who is strict reads its map once more and asks for each of its packs', async () => {
  const root = await pushed('trusted', strict(KEY));
  const countOf = async (signatures: Signatures): Promise<object> => {
    const counted = counting(storage);
    const remote = openRemote({ storage: counted, area: 'trusted', signatures });
    const again = await pushRoots({ remote, store: temporary.store, roots: [{ root }] });
    expect(again).toMatchObject({ files: { sent: 0, reused: 1 } });
    return counted.requests;
  };
  const usual = await countOf(NO_SIGNATURES);
  expect(usual).toMatchObject({ get: 3, head: 0, put: 0 });
  expect(await countOf(strict(KEY))).toEqual({ ...usual, get: 4, head: 2 });
});

test('an old map that is signed does not vouch for a large blob that is gone', async () => {
  const [large, small] = [randomBytes(8 * 1024 * 1024), randomBytes(10)];
  const root = await storeFiles(temporary.store, { large, small });
  const remote = open('trusted', strict(KEY));
  await pushRoots({ remote, store: temporary.store, roots: [{ root }] });
  expect(await willStayComplete(remote, root, temporary.store.reader)).toBe(true);
  storage.objects.delete(blobKey('trusted', digestOf(large)));
  expect(await willStayComplete(remote, root, temporary.store.reader)).toBe(false);
});

test('a large blob of the right name and size is not believed to be one', async () => {
  const content = randomBytes(8 * 1024 * 1024);
  const root = await storeFiles(temporary.store, { a: content });
  const key = blobKey('trusted', digestOf(content));
  storage.objects.set(key, Buffer.alloc(content.length));
  const again = await pushRoots({ remote: open('trusted', strict(KEY)), store: temporary.store, roots: [{ root }] });
  expect(again).toMatchObject({ files: { sent: 1 } });
  expect(storage.objects.get(key)?.equals(content)).toBe(true);
});

test('keys stand between white space or commas, and a short one is told without its text', () => {
  expect(parseSigningKeys(undefined)).toEqual([]);
  expect(parseSigningKeys(` ${KEY},\n${NEXT_KEY} `)).toEqual([KEY, NEXT_KEY]);
  expect(() => parseSigningKeys(`${KEY} hunter2`)).toThrow(
    /^key 2 of SLUICE_SIGNING_KEY has fewer than 32 characters$/,
  );
});
