import { randomBytes } from 'node:crypto';
import { s3Options, useFaultProxy, useS3Server } from '../../testing/s3.js';
import { type Body, type KeptPart, type PartJournal, storageKey } from './port.js';
import { s3Storage } from './s3.js';

const { server, direct, newBucket } = useS3Server();
const proxy = useFaultProxy(server);
const key = storageKey('shared/blobs/ab/cd');
const MIB = 1024 * 1024;
/** Four whole parts and a rest. */
const bytes = randomBytes(4 * 8 * MIB + 123_456);
const all = { offset: 0, length: 64 * MIB };

/** In chunks that do not fit into parts, one after another, with something that happens before the chunk at `at`. */
function streamed(at = -1, happens = (): void => undefined): Body {
  return {
    bytes: bytes.length,
    chunks: async function* () {
      for (let i = 0; i * 3 * MIB < bytes.length; i++) {
        if (i === at) happens();
        yield bytes.subarray(i * 3 * MIB, (i + 1) * 3 * MIB);
      }
    },
  };
}

async function unfinished(bucket: string): Promise<number> {
  return (await direct().listMultipartUploads({ Bucket: bucket })).Uploads?.length ?? 0;
}

test('a large object goes in parts and comes back', async () => {
  const bucket = await newBucket();
  const storage = s3Storage(s3Options(proxy().endpoint, bucket));
  expect(await storage.put(key, streamed())).toBe('stored');
  expect(storage.requests).toMatchObject({ put: 7, get: 0 });
  expect((await storage.get(key, all))?.equals(bytes)).toBe(true);
  expect(await unfinished(bucket)).toBe(0);
});

test('only the part that failed is sent again', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^PUT .*partNumber=2/, { kind: 'reset', when: 'before' });
  proxy().inject(/^PUT .*partNumber=3/, { kind: 'flip', of: 'request' });
  proxy().inject(/^POST .*uploadId=/, { kind: 'status', status: 500, code: 'InternalError' });
  await storage.put(key, streamed());
  expect(storage.requests.put).toBe(10);
  expect((await storage.get(key, all))?.equals(bytes)).toBe(true);
});

test('a chunk is given back once, when the part that it is in has arrived', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^PUT .*partNumber=2/, { kind: 'reset', when: 'before' });
  proxy().inject(/^PUT .*partNumber=3/, { kind: 'status', status: 503, code: 'SlowDown' });
  const released: number[] = [];
  const body: Body = {
    bytes: bytes.length,
    *chunks() {
      for (let at = 0; at < bytes.length; at += 4 * MIB) yield Buffer.from(bytes.subarray(at, at + 4 * MIB));
    },
    release: (chunk) => {
      released.push(chunk.length);
      // Who looks at it still would send something else.
      chunk.fill(0);
    },
  };
  await storage.put(key, body);
  expect((await storage.get(key, all))?.equals(bytes)).toBe(true);
  expect(released.sort((a, b) => a - b)).toEqual([123_456, ...Array<number>(8).fill(4 * MIB)]);

  const parted: Buffer[] = [];
  await storage.put(key, { ...streamed(), release: (chunk) => parted.push(chunk) });
  // Of chunks of 3 MiB, those that lie in two parts are not.
  expect(parted.length).toBe(8);
});

test('if only the last answer was lost, the object counts as stored', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().inject(/^POST .*uploadId=/, { kind: 'reset', when: 'after' });
  expect(await storage.put(key, streamed())).toBe('stored');
  expect(storage.requests.put).toBe(8);
});

test('of two large objects with ifAbsent the first one stays', async () => {
  const bucket = await newBucket();
  const storage = s3Storage(s3Options(proxy().endpoint, bucket, { writeOnce: { supported: true, learn: () => {} } }));
  const answers = await Promise.all([1, 2, 3].map(() => storage.put(key, streamed(), { ifAbsent: true })));
  expect(answers.sort()).toEqual(['exists', 'exists', 'stored']);
  expect(await unfinished(bucket)).toBe(0);
});

test('parts are deleted if the body fails, if it is interrupted, and if the server refuses one', async () => {
  const bucket = await newBucket();
  const storage = s3Storage(s3Options(proxy().endpoint, bucket));
  const gone = new Error('the file is gone');
  const failing = streamed(8, () => {
    throw gone;
  });
  await expect(storage.put(key, failing)).rejects.toBe(gone);

  const controller = new AbortController();
  const interrupted = storage.put(
    key,
    streamed(8, () => controller.abort()),
    { signal: controller.signal },
  );
  await expect(interrupted).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });

  proxy().inject(/^PUT .*partNumber=2/, { kind: 'status', status: 403, code: 'AccessDenied' });
  await expect(storage.put(key, streamed())).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED' });
  expect(storage.requests.delete).toBeGreaterThanOrEqual(3);
  expect(await unfinished(bucket)).toBe(0);
  expect(await storage.stat(key)).toBeUndefined();
});

describe('with a journal', () => {
  const partsOf = (): string[] => proxy().seen.filter((line) => line.includes('partNumber'));
  const refused = { kind: 'status', status: 403, code: 'AccessDenied' } as const;

  test('a put goes on where an earlier one ended, and sends no part twice', async () => {
    const bucket = await newBucket();
    const storage = s3Storage(s3Options(proxy().endpoint, bucket));
    const journal = notes();
    proxy().inject(/^POST .*uploadId=/, refused);
    await expect(storage.put(key, streamed(), { journal })).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED' });
    expect(await unfinished(bucket)).toBe(1);
    expect(journal.left?.parts.size).toBe(5);
    const before = partsOf().length;
    expect(await storage.put(key, streamed(), { journal })).toBe('stored');
    expect(partsOf().length).toBe(before);
    expect(journal.left).toBeUndefined();
    expect((await storage.get(key, all))?.equals(bytes)).toBe(true);
    expect(await unfinished(bucket)).toBe(0);
  });

  test('an interrupted put is gone on with, and what has other bytes by now is sent again', async () => {
    const bucket = await newBucket();
    const storage = s3Storage(s3Options(proxy().endpoint, bucket));
    const journal = notes();
    const controller = new AbortController();
    proxy().inject(/^PUT .*partNumber=5/, { kind: 'wait', ms: 2000 });
    journal.onKept = () => {
      if (journal.left?.parts.size === 4) controller.abort();
    };
    const interrupted = storage.put(key, streamed(), { journal, signal: controller.signal });
    await expect(interrupted).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' });
    const other = Buffer.from(bytes).fill(7, 9 * MIB, 9 * MIB + 1);
    const before = partsOf().length;
    await storage.put(
      key,
      {
        bytes: other.length,
        chunks: function* () {
          yield other;
        },
      },
      { journal },
    );
    expect(
      partsOf()
        .slice(before)
        .map((line) => /partNumber=(\d)/.exec(line)?.[1])
        .sort(),
    ).toEqual(['2', '5']);
    expect((await storage.get(key, all))?.equals(other)).toBe(true);
  });

  test('parts that were deleted meanwhile, or that the server does not know, are sent again', async () => {
    const bucket = await newBucket();
    const storage = s3Storage(s3Options(proxy().endpoint, bucket));
    for (const spoil of ['deleted', 'unknown'] as const) {
      const journal = notes();
      proxy().inject(/^POST .*uploadId=/, refused);
      await expect(storage.put(key, streamed(), { journal })).rejects.toMatchObject({ code: 'ERR_REMOTE_DENIED' });
      const { left } = journal;
      if (left === undefined) throw new Error('nothing was noted');
      if (spoil === 'deleted') await storage.deleteParts?.(key, left.id);
      else
        journal.kept({ number: 2, tag: '"0123456789abcdef0123456789abcdef"', sha256: left.parts.get(2)?.sha256 ?? '' });
      expect(await storage.put(key, streamed(), { journal })).toBe('stored');
      expect((await storage.get(key, all))?.equals(bytes)).toBe(true);
      expect(await unfinished(bucket)).toBe(0);
    }
  });

  test('parts of a body that fails are deleted', async () => {
    const bucket = await newBucket();
    const journal = notes();
    const failing = streamed(8, () => {
      throw new Error('the file is gone');
    });
    await expect(s3Storage(s3Options(proxy().endpoint, bucket)).put(key, failing, { journal })).rejects.toThrow('gone');
    expect(journal.left).toBeUndefined();
    expect(await unfinished(bucket)).toBe(0);
  });
});

/** A journal in memory. */
function notes(): PartJournal & { onKept: () => void } {
  let begun: { readonly id: string; readonly partBytes: number } | undefined;
  const parts = new Map<number, KeptPart>();
  return {
    onKept: () => {},
    get left() {
      return begun === undefined ? undefined : { ...begun, parts: new Map(parts) };
    },
    began: (id, partBytes) => {
      begun = { id, partBytes };
      parts.clear();
    },
    kept(part) {
      parts.set(part.number, part);
      this.onKept();
    },
    ended: () => {
      begun = undefined;
    },
  };
}

test('memory is bounded for all large objects together', async () => {
  const storage = s3Storage(s3Options(proxy().endpoint, await newBucket()));
  proxy().latencyMs = 100;
  let ahead = 0;
  let most = 0;
  const counted = (): Body => ({
    bytes: 20 * 8 * MIB,
    chunks: function* () {
      for (let i = 0; i < 20; i++) {
        most = Math.max(most, ++ahead - arrived());
        yield Buffer.alloc(8 * MIB, i);
      }
    },
  });
  const arrived = (): number => proxy().seen.filter((line) => line.includes('partNumber')).length;
  await Promise.all([1, 2, 3].map((n) => storage.put(storageKey(`shared/blobs/${n}`), counted())));
  expect(ahead).toBe(60);
  expect(most).toBeLessThanOrEqual(6 + 3);
});
