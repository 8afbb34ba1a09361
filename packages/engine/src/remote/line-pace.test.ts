import { LinePace } from './line-pace.js';

const MIB = 1024 * 1024;

test('a line is fast when it has taken a pack faster than it could be compressed', () => {
  const pace = new LinePace();
  expect(pace.isFast).toBe(false);
  pace.note(32 * MIB, 1000);
  expect(pace.isFast).toBe(false);
  pace.note(32 * MIB, 100);
  expect(pace.isFast).toBe(true);
  pace.note(10_000, 500);
  expect(pace.isFast).toBe(true);
  pace.note(32 * MIB, 600);
  expect(pace.isFast).toBe(false);
  pace.note(32 * MIB, 0);
  expect(pace.isFast).toBe(true);
});
