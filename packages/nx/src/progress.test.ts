import { createProgress } from './progress.js';

function harness(isTerminal: boolean) {
  const state = { now: 0, text: '' };
  const progress = createProgress({
    isTerminal,
    write: (text) => {
      state.text += text;
    },
    nowMs: () => state.now,
  });
  const show = (atMs: number, files: number, subject = 'p/data'): void => {
    state.now = atMs;
    progress.show({
      type: 'progress',
      phase: 'writing files',
      subject,
      files,
      totalFiles: 1200,
      bytes: files * 10,
      totalBytes: 12_000,
    });
  };
  return { state, progress, show };
}

test('short work is not told about', () => {
  const { state, show } = harness(false);
  show(0, 200);
  show(500, 1000);
  show(600, 1200);
  expect(state.text).toBe('');
});

test('long work is a line every few seconds, and the last one has the total', () => {
  const { state, show } = harness(false);
  show(0, 200);
  show(3100, 400);
  show(3200, 600);
  show(4000, 1200);
  show(4100, 1200);
  expect(state.text.split('\n')).toEqual([
    expect.stringContaining('writing files p/data: 400 of 1,200 files'),
    expect.stringContaining('writing files p/data: 1,200 of 1,200 files'),
    '',
  ]);
});

test('each subject has its own clock', () => {
  const { state, show } = harness(false);
  show(0, 200);
  show(3100, 400, 'p/other');
  expect(state.text).toBe('');
});

test('a terminal has one line, which makes room', () => {
  const { state, progress, show } = harness(true);
  show(0, 200);
  show(200, 400);
  show(400, 1200);
  progress.clear();
  progress.clear();
  expect(state.text.split('\r\u001b[2K')).toEqual([
    expect.stringContaining('400 of'),
    expect.stringContaining('1,200 of 1,200'),
    '',
  ]);
  expect(state.text).not.toContain('\n');
});
