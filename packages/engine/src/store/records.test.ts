import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../model/digest.js';
import { fingerprintOf, type Part } from '../model/parts.js';
import { parseRelPath } from '../model/path.js';
import type { StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { recordPath } from './layout.js';
import { countRecords, listRecords, readRecord, removeRecord, writeRecord } from './records.js';
import { addSmallFile, putSmallFile, removeTemporaries } from './small-file.js';
import { openStore, type Store } from './store.js';

let dir = '';
let store: Store;
beforeEach(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), 'sluice-records-'));
  store = openStore({ dir: join(dir, 'store') });
});
afterEach(() => {
  store.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

function record(command: string, content: string): StageRecord {
  const parts: Part[] = [{ kind: 'command', name: '', value: command }];
  const root: OutRoot = { kind: 'blob', digest: digestOf(content), exec: false, files: 1, bytes: content.length };
  return {
    fingerprint: fingerprintOf(parts),
    tracked: false,
    parts,
    outs: new Map([[parseRelPath('p/out'), root]]),
    stage: { project: 'p', target: 't' },
    made: { at: '2026-11-20T10:00:00.000Z', ms: 5 },
    area: 'shared',
  };
}

test('is written once', () => {
  const first = record('a', 'one');
  expect(readRecord(store, first.fingerprint)).toBeUndefined();
  expect(writeRecord(store, first)).toEqual({ kind: 'written' });
  expect(writeRecord(store, { ...first, made: { at: '2026-11-21T10:00:00.000Z', ms: 7 } })).toEqual({ kind: 'same' });
  expect(writeRecord(store, record('a', 'two'))).toEqual({ kind: 'different', existing: first });
  expect(readRecord(store, first.fingerprint)).toEqual(first);
  writeRecord(store, record('b', 'one'));
  expect(countRecords(store)).toBe(2);
  expect([...listRecords(store)].map(({ kind }) => kind)).toEqual(['record', 'record']);
  expect([...listRecords(store, Date.now() + 60_000)]).toEqual([]);
  expect(removeRecord(store, first.fingerprint)).toBe(true);
  expect(removeRecord(store, first.fingerprint)).toBe(false);
  expect(countRecords(store)).toBe(1);
});

test('a damaged one counts as none, is reported, and is replaced', () => {
  const good = record('a', 'one');
  const path = recordPath(store.layout, good.fingerprint);
  for (const text of ['', '{', '{"version": 99}', '[]', 'x'.repeat(1000)]) {
    putSmallFile(store, path, text);
    const problems: string[] = [];
    expect(readRecord(store, good.fingerprint, ({ code }) => problems.push(code))).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect([...listRecords(store)].map(({ kind }) => kind)).toEqual(['damaged']);
    expect(writeRecord(store, good)).toEqual({ kind: 'written' });
    expect(readRecord(store, good.fingerprint)).toEqual(good);
  }
});

test('one under a wrong name is damaged', () => {
  const good = record('a', 'one');
  const other = record('b', 'two');
  writeRecord(store, good);
  const path = recordPath(store.layout, other.fingerprint);
  fs.mkdirSync(join(path, '..'), { recursive: true });
  fs.copyFileSync(recordPath(store.layout, good.fingerprint), path);
  expect(readRecord(store, other.fingerprint)).toBeUndefined();
  expect([...listRecords(store)].map(({ kind }) => kind).sort()).toEqual(['damaged', 'record']);
});

test('of several writers exactly one adds a file, also where links are not supported', () => {
  const failing = { ...store, files: { ...store.files, linkSync: refuse('EPERM') } };
  for (const writer of [store, failing]) {
    const path = join(dir, `x-${Math.random()}`);
    expect(addSmallFile(writer, path, 'one')).toBe(true);
    expect(addSmallFile(writer, path, 'two')).toBe(false);
    expect(fs.readFileSync(path, 'utf8')).toBe('one');
  }
  expect(fs.readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('leaves no temporary file, and what a killed writer left is removed', () => {
  writeRecord(store, record('a', 'one'));
  const [prefix = ''] = fs.readdirSync(store.layout.records);
  const sub = join(store.layout.records, prefix);
  expect(fs.readdirSync(sub)).toHaveLength(1);
  fs.writeFileSync(join(sub, '.abc-0123-0-4194999-1-ff'), 'half');
  fs.writeFileSync(join(sub, '.abc'), 'half');
  removeTemporaries(store, sub);
  expect(fs.readdirSync(sub).filter((name) => name !== '.abc-0123-0-4194999-1-ff')).toHaveLength(1);
});

function refuse(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code });
  };
}
