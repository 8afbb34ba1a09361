import { randomBytes } from 'node:crypto';
import {
  auditedCodes,
  CHUNKING,
  expectWhole,
  openEncoded,
  packedBytes,
  pushEncoded,
  table,
} from '../../testing/encoded-remote.js';
import { memoryStorage } from '../../testing/memory-storage.js';
import { type Files, randomFiles, storeFiles, temporaryStore } from '../../testing/store-files.js';
import { collectRemote } from './collect.js';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

test('chunks that a kept version needs stay, move with their packs, and are read where they are then', async () => {
  let now = 1_700_000_000_000;
  const storage = memoryStorage('memory:', () => now);
  const { store, remove } = temporaryStore();
  try {
    const edited = randomBytes(17 * MIB);
    // Its files are enough for the second map to refer to the first one.
    const same = { ...randomFiles(20, 300), 'rows.csv': table(600_000).subarray(0, 9 * MIB) };
    const first: Files = { 'a-dead.bin': randomBytes(29 * MIB), 'edited.bin': edited, same };
    const second: Files = { 'edited.bin': Buffer.concat([edited, Buffer.from('more')]), same };
    const dead = await storeFiles(store, first);
    await pushEncoded(store, storage, dead, CHUNKING);
    const live = await storeFiles(store, second);
    const { bytes } = await pushEncoded(store, storage, live, CHUNKING, [dead]);
    expect(bytes.sent).toBeLessThan(MIB);
    const before = packedBytes(storage);
    const collect = (): ReturnType<typeof collectRemote> =>
      collectRemote({
        remote: openEncoded(storage),
        reader: store.reader,
        roots: async () => ({ live: new Set([live.digest]), known: new Set([live.digest, dead.digest]) }),
        graceMs: DAY_MS,
        nowMs: now,
        by: 'test',
      });
    now += 2 * DAY_MS;
    expect((await collect()).repacked.packs).toBeGreaterThan(0);
    now += DAY_MS;
    await collect();
    expect([...storage.objects.keys()].filter((key) => key.includes('/maps/'))).toHaveLength(1);
    expect(packedBytes(storage)).toBeLessThan(before - 25 * MIB);
    expect(await auditedCodes(storage, live)).toEqual([]);
    await expectWhole(storage, live, second);
  } finally {
    remove();
  }
});
