import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Store } from '../store/store.js';
import { STALE_TRANSFER_MS } from '../store/transfers.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { storeFile, useStores } from '../testing/store-files.js';
import { pushRoots } from './push.js';
import { openRemote } from './remote.js';
import { type KeptPart, type Storage, storageKey } from './storage/port.js';
import { openUploadJournal } from './upload-journal.js';

const MIB = 1024 * 1024;
const key = storageKey('shared/blobs/ab/cd');
const part = (number: number): KeptPart => ({ number, tag: `"tag ${number}"`, sha256: '0'.repeat(64) });

const newStore = useStores();

const transfers = ({ files, layout }: Store): string[] =>
  files.statSync(layout.transfers, { throwIfNoEntry: false }) === undefined ? [] : files.readdirSync(layout.transfers);
const open = (store: Store, { remote = 's3://a', bytes = 100 * MIB } = {}): ReturnType<typeof openUploadJournal> =>
  openUploadJournal(store, remote, key, bytes);

test('notes are found by the next push of the same bytes to the same place, and by no other', () => {
  const store = newStore();
  const first = open(store);
  expect(first.left).toBeUndefined();
  first.began('upload 1', 8 * MIB);
  first.kept(part(2));
  first.kept(part(1));
  first.close();
  for (const other of [open(store, { remote: 's3://b' }), openUploadJournal(store, 's3://a', storageKey('x'), 1)]) {
    expect(other.left).toBeUndefined();
    other.close();
  }
  const next = open(store);
  expect(next.left).toEqual({
    ...{ id: 'upload 1', partBytes: 8 * MIB, remote: 's3://a', key, bytes: 100 * MIB },
    parts: new Map([2, 1].map((number) => [number, part(number)])),
  });
  next.kept(part(3));
  next.close();
  const last = open(store);
  expect(last.left?.parts.size).toBe(3);
  last.ended();
  last.close();
  expect(transfers(store)).toEqual([]);
  const shorter = open(store);
  shorter.began('upload 2', 8 * MIB);
  shorter.close();
  expect(open(store, { bytes: 99 * MIB }).left).toBeUndefined();
});

test('what a live process works on is not taken from it', () => {
  const store = newStore();
  const first = open(store);
  first.began('upload 1', 8 * MIB);
  const second = open(store);
  expect(second.left).toBeUndefined();
  second.began('upload 2', 8 * MIB);
  expect(transfers(store)).toHaveLength(2);
});

test('notes that are torn or damaged anywhere are believed as far as they make sense', () => {
  const store = newStore();
  const whole = Buffer.from(
    `${JSON.stringify({ version: 1, remote: 's3://a', key, bytes: 100 * MIB, id: 'upload 1', partBytes: 8 * MIB })}\n${[1, 2, 3].map((n) => JSON.stringify(part(n))).join('\n')}`,
  );
  const first = open(store);
  first.began('upload 1', 8 * MIB);
  first.close();
  const write = (bytes: Buffer): void => {
    const fd = store.files.openSync(join(store.layout.transfers, transfers(store)[0] ?? ''), 'w');
    store.files.writeSync(fd, bytes, 0, bytes.length);
    store.files.closeSync(fd);
  };
  for (let at = 0; at < whole.length; at += 7) {
    for (const bytes of [whole.subarray(0, at), Buffer.from(whole).fill(255, at, at + 1), randomBytes(at)]) {
      write(bytes);
      const journal = open(store);
      const parts = journal.left?.parts ?? new Map<number, KeptPart>();
      expect([...parts.keys()].every((number) => number >= 1 && number <= 10_000)).toBe(true);
      expect(parts.size).toBeLessThanOrEqual(3);
      // A part that is noted after a torn line counts.
      if (journal.left !== undefined) {
        journal.kept(part(9));
        journal.close();
        const next = open(store);
        expect(next.left?.parts.has(9)).toBe(true);
        next.close();
      } else journal.close();
    }
  }
});

test('a store that cannot be written has no notes, and the push goes on', () => {
  const store = newStore();
  const failing = {
    ...store,
    files: {
      ...store.files,
      mkdirSync: () => {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      },
    },
  };
  const journal = open(failing as Store);
  journal.began('upload 1', 8 * MIB);
  journal.kept(part(1));
  journal.ended();
  journal.close();
  expect(transfers(store)).toEqual([]);
});

test('parts of uploads that nobody goes on with for a week are deleted by the next push to the remote', async () => {
  const store = newStore();
  const deleted: string[] = [];
  const storage: Storage = {
    ...memoryStorage('s3://a'),
    deleteParts: async (at, id) => void deleted.push(`${at} ${id}`),
  };
  for (const [remote, id] of [
    ['s3://a', 'old'],
    ['s3://b', 'elsewhere'],
  ] as const) {
    const journal = open(store, { remote });
    journal.began(id, 8 * MIB);
    journal.close();
  }
  const push = async (): Promise<unknown> =>
    pushRoots({
      remote: openRemote({ storage, area: 'shared' }),
      store,
      roots: [{ root: await storeFile(store, randomBytes(10)) }],
    });
  await push();
  expect(deleted).toEqual([]);
  const long = new Date(Date.now() - STALE_TRANSFER_MS - 1000);
  for (const name of transfers(store)) store.files.utimesSync(join(store.layout.transfers, name), long, long);
  expect(open(store).left).toBeUndefined();
  await push();
  expect(deleted).toEqual([`${key} old`]);
  expect(transfers(store)).toHaveLength(1);
});
