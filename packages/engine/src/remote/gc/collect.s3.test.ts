import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../model/digest.js';
import { s3Options, useFaultProxy, useS3Server } from '../../testing/s3.js';
import { flat, randomFiles, readFiles, storeFiles, temporaryStore } from '../../testing/store-files.js';
import { fetchRoots } from '../fetch.js';
import { pushRoots } from '../push.js';
import { openRemote } from '../remote.js';
import { storageKey } from '../storage/port.js';
import { s3Storage } from '../storage/s3.js';
import { collectRemote } from './collect.js';

const s3 = useS3Server();
const proxy = useFaultProxy(s3.server);

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

describe('uploads that nobody finishes', () => {
  const forbidden = { kind: 'status', status: 403, code: 'AccessDenied' } as const;
  const key = storageKey(`shared/blobs/1a/${'b'.repeat(62)}`);

  /** Begins to put an object of two parts, of which none or one comes. */
  async function begin(bucket: string, name: string, parts: number): Promise<void> {
    const object = { Bucket: bucket, Key: `team/data/${name}` };
    const { UploadId } = await s3.direct().createMultipartUpload(object);
    const Body = Buffer.alloc(5 * 1024 * 1024);
    for (let i = 1; i <= parts; i++) await s3.direct().uploadPart({ ...object, UploadId, PartNumber: i, Body });
  }

  async function begun(bucket: string): Promise<(string | undefined)[]> {
    const { Uploads = [] } = await s3.direct().listMultipartUploads({ Bucket: bucket });
    return Uploads.map(({ Key }) => Key);
  }

  function collect(bucket: string, graceMs: number, dryRun = false): ReturnType<typeof collectRemote> {
    const { store, remove } = temporaryStore();
    const storage = s3Storage(s3Options(proxy().endpoint, bucket));
    return collectRemote({
      remote: openRemote({ storage, area: 'shared' }),
      reader: store.reader,
      roots: async () => ({ live: new Set(), known: new Set() }),
      graceMs,
      nowMs: Date.now(),
      by: 'test',
      dryRun,
    }).finally(remove);
  }

  async function used(): Promise<string> {
    const bucket = await s3.newBucket();
    await openRemote({ storage: s3Storage(s3Options(s3.server().endpoint, bucket)), area: 'shared' }).prepare();
    return bucket;
  }

  test('are told by a dry run, and deleted with a receipt, when nothing came for the grace period', async () => {
    const bucket = await used();
    await begin(bucket, key, 2);
    await begin(bucket, key, 0);
    const elsewhere = `trusted/blobs/1a/${'b'.repeat(62)}`;
    await begin(bucket, elsewhere, 1);
    await begin(bucket, 'shared/not ours', 1);
    expect((await collect(bucket, 60_000)).unfinished).toEqual({ objects: [], problem: undefined });
    await sleep(2100);
    const told = (await collect(bucket, 1000, true)).unfinished.objects;
    expect(told.map((one) => [one.key, one.bytes]).sort()).toEqual([
      [key, 0],
      [key, 10 * 1024 * 1024],
    ]);
    expect(await begun(bucket)).toHaveLength(4);
    expect((await collect(bucket, 1000)).unfinished.objects).toHaveLength(2);
    expect((await begun(bucket)).sort()).toEqual([`team/data/shared/not ours`, `team/data/${elsewhere}`]);
    const { Contents = [] } = await s3.direct().listObjectsV2({ Bucket: bucket, Prefix: 'team/data/shared/gc/' });
    expect(Contents).toHaveLength(1);
    const receipt = await s3.direct().getObject({ Bucket: bucket, Key: Contents[0]?.Key ?? '' });
    expect(JSON.parse((await receipt.Body?.transformToString()) ?? '')).toMatchObject({
      by: 'test',
      graceMs: 1000,
      deleted: [],
      unfinished: [
        [key, expect.any(Number), expect.any(Number)],
        [key, expect.any(Number), expect.any(Number)],
      ],
    });
    expect((await collect(bucket, 1000)).unfinished.objects).toEqual([]);
  });

  test('stay while parts of them come, however long ago they were begun', async () => {
    const bucket = await used();
    const object = { Bucket: bucket, Key: `team/data/${key}` };
    const { UploadId } = await s3.direct().createMultipartUpload(object);
    await sleep(3100);
    await s3.direct().uploadPart({ ...object, UploadId, PartNumber: 1, Body: Buffer.alloc(1000) });
    expect((await collect(bucket, 2000)).unfinished.objects).toEqual([]);
    expect(await begun(bucket)).toHaveLength(1);
  });

  test.each([
    ['to list uploads', /^GET .*[?&]uploads/, 's3:ListBucketMultipartUploads'],
    ['to list parts', /^GET .*[?&]uploadId=/, 's3:ListMultipartUploadParts'],
    ['to delete parts', /^DELETE .*[?&]uploadId=/, 's3:AbortMultipartUpload'],
  ])('stay where it is not allowed %s, and that is no failure', async (_, request, action) => {
    const bucket = await used();
    await begin(bucket, key, 1);
    await sleep(2100);
    proxy().inject(request, forbidden);
    const { unfinished } = await collect(bucket, 1000);
    expect(unfinished).toMatchObject({ objects: [], problem: { code: 'ERR_REMOTE_DENIED' } });
    expect(unfinished.problem?.message).toContain(action);
    expect(await begun(bucket)).toHaveLength(1);
  });
});
