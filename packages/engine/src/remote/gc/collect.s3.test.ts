import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../model/digest.js';
import { s3Options, useS3Server } from '../../testing/s3.js';
import { flat, randomFiles, readFiles, storeFiles, temporaryStore } from '../../testing/store-files.js';
import { fetchRoots } from '../fetch.js';
import { pushRoots } from '../push.js';
import { openRemote } from '../remote.js';
import { s3Storage } from '../storage/s3.js';
import { collectRemote } from './collect.js';

const s3 = useS3Server();

test('a bucket is collected in two steps', async () => {
  const { store, remove } = temporaryStore();
  const clone = temporaryStore();
  try {
    const storage = s3Storage(s3Options(s3.server().endpoint, await s3.newBucket()));
    const open = () => openRemote({ storage, area: 'shared' });
    const same = randomFiles(20, 2000);
    const dead = await storeFiles(store, { same, changes: randomFiles(20, 2000) });
    const files = { same, changes: randomFiles(20, 2000) };
    const live = await storeFiles(store, files);
    await pushRoots({ remote: open(), store, roots: [{ root: dead }] });
    await pushRoots({ remote: open(), store, roots: [{ root: live, previous: [dead] }] });
    const collect = (graceMs: number) =>
      collectRemote({
        remote: open(),
        reader: store.reader,
        roots: async () => ({
          live: new Set<Digest>([live.digest]),
          known: new Set<Digest>([live.digest, dead.digest]),
        }),
        graceMs,
        nowMs: Date.now(),
        by: 'test',
      });
    expect(await collect(60_000)).toMatchObject({ condemned: { blobs: 0 }, dueMs: undefined });
    // Times of a bucket are whole seconds.
    await sleep(2100);
    expect(await collect(1000)).toMatchObject({ removed: { blobs: 0 }, condemned: { blobs: 20, trees: 2 } });
    await sleep(2100);
    expect(await collect(1000)).toMatchObject({ removed: { blobs: 20, trees: 2 }, kept: { blobs: 40, trees: 3 } });
    await fetchRoots({ remote: open(), store: clone.store, wants: [{ root: live }] });
    expect(readFiles(clone.store, live)).toEqual(flat(files));
    const left: string[] = [];
    for await (const { key } of storage.list?.('') ?? []) left.push(key);
    expect(left.filter((key) => key.includes('/maps/'))).toHaveLength(1);
    expect(left.filter((key) => key.includes('/gc/'))).toEqual([expect.stringMatching(/^shared\/gc\/receipts\//)]);
  } finally {
    remove();
    clone.remove();
  }
}, 120_000);
