import type { Phase } from '../events.js';
import { createRate } from './rate.js';

const MIB = 1024 * 1024;
const event = (bytes: number, totalBytes = 100 * MIB, phase: Phase = 'sending', subject = 'origin') =>
  ({ type: 'progress', phase, subject, files: 0, totalFiles: 1, bytes, totalBytes }) as const;

test('speed and time left of a transfer, once something is known', () => {
  const rate = createRate();
  expect(rate(event(0), 0)).toBe(' of 100.0 MiB');
  expect(rate(event(5 * MIB), 500)).toBe(' of 100.0 MiB');
  expect(rate(event(20 * MIB), 2000)).toBe(' of 100.0 MiB, 10.0 MiB/s, 8.0 s left');
  expect(rate(event(100 * MIB), 10_000)).toBe('');
});

test('what was long ago does not count, and what stands still has no speed', () => {
  const rate = createRate();
  for (let s = 0; s <= 10; s++) rate(event(s * 5 * MIB), s * 1000);
  for (let s = 11; s < 20; s++) rate(event((50 + s - 10) * MIB), s * 1000);
  expect(rate(event(60 * MIB), 20_000)).toBe(' of 100.0 MiB, 1.0 MiB/s, 40 s left');
  for (let s = 21; s < 29; s++) rate(event(60 * MIB), s * 1000);
  expect(rate(event(60 * MIB), 29_000)).toBe(' of 100.0 MiB');
});

test('each transfer begins anew, and other work has none', () => {
  const rate = createRate();
  rate(event(50 * MIB), 0);
  expect(rate(event(60 * MIB, 100 * MIB, 'receiving'), 5000)).toBe(' of 100.0 MiB');
  expect(rate(event(61 * MIB, 100 * MIB, 'receiving', 'other'), 9000)).toBe(' of 100.0 MiB');
  expect(rate(event(61 * MIB, 100 * MIB, 'hashing'), 9000)).toBe('');
  expect(rate(event(61 * MIB, 0), 9000)).toBe('');
});
