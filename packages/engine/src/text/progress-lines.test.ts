import type { SluiceEvent } from '../events.js';
import { createProgressLines } from './progress-lines.js';

type ProgressEvent = Extract<SluiceEvent, { type: 'progress' }>;

function at(files: number, subject = 'data/raw', totalFiles = 10): ProgressEvent {
  return { type: 'progress', phase: 'hashing', subject, files, totalFiles, bytes: files * 100, totalBytes: 1000 };
}

test('a line each second, and the last one of what was told about', () => {
  const lineOf = createProgressLines(1000);
  const told = ([0, 400, 1000, 1400, 2100, 2200, 2300] as const).map((ms, i) =>
    lineOf(at([0, 2, 4, 5, 8, 10, 10][i] ?? 0), ms),
  );
  expect(told.map((line) => line?.split(',')[0])).toEqual([
    undefined,
    undefined,
    'hashing data/raw: 4 of 10 files',
    undefined,
    'hashing data/raw: 8 of 10 files',
    'hashing data/raw: 10 of 10 files',
    undefined,
  ]);
});

test('what ends soon is not told about, and another subject begins anew', () => {
  const lineOf = createProgressLines(1000);
  expect([lineOf(at(1), 0), lineOf(at(10), 900), lineOf(at(1, 'other'), 5000), lineOf(at(10, 'other'), 5500)]).toEqual(
    Array(4).fill(undefined),
  );
});

test('while the total is not known, no line is the last', () => {
  const lineOf = createProgressLines(1000);
  expect(lineOf(at(3, 'data/raw', 0), 0)).toBeUndefined();
  expect(lineOf(at(5, 'data/raw', 0), 1500)).toContain('5 files');
  expect(lineOf(at(5, 'data/raw', 0), 1600)).toBeUndefined();
});
