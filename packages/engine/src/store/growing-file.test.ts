import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createBulk } from '../workspace/bulk.js';
import { bulkReceiver } from '../workspace/bulk-receiver.js';
import { realFiles } from './files.js';
import { GrowingFile } from './growing-file.js';
import { inlineReceiver, type Receiver } from './receiver.js';

const PIECE = 1000;
const WORKER = new URL('../../bundle/workspace/worker.js', import.meta.url);

let dir = '';
beforeAll(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), 'sluice-growing-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A file that exists, with something in it perhaps. */
function begun(content = Buffer.alloc(0)): string {
  const path = join(dir, randomBytes(8).toString('hex'));
  fs.writeFileSync(path, content);
  return path;
}

test('pieces in any order give the file and its digest', () => {
  const content = randomBytes(20 * PIECE + 17);
  const offsets = Array.from({ length: 21 }, (_, i) => i * PIECE);
  fc.assert(
    fc.property(fc.shuffledSubarray(offsets, { minLength: offsets.length }), (order) => {
      const path = begun();
      const file = new GrowingFile(realFiles, path);
      for (const offset of order) file.write(content.subarray(offset, offset + PIECE), offset);
      expect(file.finish(content.length)?.toString('hex')).toBe(sha256(content));
      expect(fs.readFileSync(path).equals(content)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('what was there before counts, and what lies behind the end is cut off', () => {
  const content = randomBytes(5 * PIECE);
  const left = Buffer.concat([content, Buffer.from('more')]);
  left.fill(0, 2 * PIECE, 3 * PIECE);
  const path = begun(left);
  const file = new GrowingFile(realFiles, path);
  file.write(content.subarray(2 * PIECE, 3 * PIECE), 2 * PIECE);
  expect(file.finish(content.length)?.toString('hex')).toBe(sha256(content));
  expect(fs.statSync(path).size).toBe(content.length);
});

test('a file that is too short has no digest', () => {
  const file = new GrowingFile(realFiles, begun());
  file.write(Buffer.from('abc'), 0);
  expect(file.finish(4)).toBeUndefined();
});

describe.each<[string, () => { receiver: Receiver; end: () => Promise<void> }]>([
  ['on this thread', () => ({ receiver: inlineReceiver(realFiles), end: async () => undefined })],
  [
    'in a worker',
    () => {
      const bulk = createBulk(realFiles, WORKER, 2);
      return { receiver: bulkReceiver(bulk), end: () => bulk.close() };
    },
  ],
])('a receiver %s', (_, open) => {
  const size = 5 * 1024 * 1024;

  test('gives memory back with the bytes in it, and the digest at the end', async () => {
    const { receiver, end } = open();
    try {
      const content = randomBytes(size);
      const path = begun();
      const file = receiver.open(path, size);
      const half = size / 2;
      // Memory of its own, and memory that is shared with other buffers.
      const first = await file.write(Buffer.from(content.subarray(0, half)), 0);
      const rest = await file.write(content.subarray(half, size - 10), half);
      await file.write(Buffer.from(content.subarray(size - 10)), size - 10);
      expect([first.equals(content.subarray(0, half)), rest.length]).toEqual([true, half - 10]);
      expect(Buffer.from((await file.finish()) ?? []).toString('hex')).toBe(sha256(fs.readFileSync(path)));
      expect(fs.statSync(path).size).toBe(size);
    } finally {
      await end();
    }
  });

  test('says what is wrong, and can be closed then', async () => {
    const { receiver, end } = open();
    try {
      const missing = join(dir, 'missing');
      const write = async (): Promise<unknown> => receiver.open(missing, size).write(Buffer.alloc(10), 0);
      await expect(write()).rejects.toThrow('ENOENT');
      const file = receiver.open(begun(), size);
      await file.write(Buffer.alloc(10), 0);
      await file.close();
    } finally {
      await end();
    }
  });
});
