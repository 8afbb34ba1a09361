import { WindowPool } from './window-pool.js';

const MIB = 1024 * 1024;

test('memory that came back is given out again, whole or in part, also after it has been in another thread', () => {
  const pool = new WindowPool(8 * MIB);
  const first = pool.allocate(4 * MIB);
  expect([first.length, pool.owns(first), pool.owns(Buffer.alloc(MIB))]).toEqual([4 * MIB, true, false]);
  const moved = Buffer.from(structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] }));
  moved.fill(7);
  pool.release(moved);
  const again = pool.allocate(3 * MIB);
  expect([again.length, again[0], again.buffer === moved.buffer]).toEqual([3 * MIB, 7, true]);
});

test('no more is kept than was asked for, and nothing small', () => {
  const pool = new WindowPool(4 * MIB);
  const blocks = [pool.allocate(4 * MIB), pool.allocate(4 * MIB)];
  for (const block of blocks) pool.release(block);
  expect(pool.allocate(4 * MIB).buffer).toBe(blocks[0]?.buffer);
  expect(blocks.map(({ buffer }) => buffer)).not.toContain(pool.allocate(4 * MIB).buffer);
  expect(pool.owns(pool.allocate(100))).toBe(false);
});
