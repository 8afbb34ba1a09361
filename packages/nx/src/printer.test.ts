import { type RunResult, SluiceError, type SluiceEvent } from '@sluice/engine';
import { createPrinter } from './printer.js';

function harness(env: Record<string, string> = { CI: 'true' }, isTTY = false) {
  const written = { stdout: '', stderr: '' };
  const printer = createPrinter({
    stdout: { isTTY, write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env,
  });
  return { written, printer };
}

const nothing: RunResult = {
  outcome: 'unchanged',
  reasons: [],
  files: 0,
  bytes: 0,
  source: undefined,
  referenceOnly: [],
  receivedBytes: 0,
  savedMs: 0,
};
const lr = { kind: 'param', name: 'params.yaml:lr', before: '0.1', after: '0.2' } as const;

function output(text: string, stream: 'stdout' | 'stderr' = 'stdout'): SluiceEvent {
  return { type: 'output', stage: 'p:t', stream, text };
}

test('an unchanged stage is one line', () => {
  const { written, printer } = harness();
  printer.emit({ type: 'decision', stage: 'p:t', decision: 'unchanged', reasons: [] });
  printer.result(nothing, 10);
  expect(written).toEqual({ stdout: 'unchanged\n', stderr: '' });
});

test('a restored stage says how much from where', () => {
  const { written, printer } = harness();
  printer.result({ ...nothing, outcome: 'restored', files: 1204, bytes: 325_058_560, source: 's3cache' }, 800);
  expect(written.stdout).toMatch(/^restored 1,204 files \(310(\.0)? MiB\) from s3cache in 0\.8 s\n$/);
});

test('a run says why before and after the output of its command', () => {
  const { written, printer } = harness();
  printer.emit({ type: 'decision', stage: 'p:t', decision: 'run', reasons: [lr] });
  printer.emit(output('epoch 1'));
  printer.emit(output('oh\n', 'stderr'));
  printer.emit(output('epoch 2'));
  printer.result({ ...nothing, outcome: 'ran', reasons: [lr], files: 3, bytes: 12 }, 800);
  expect(written.stdout).toBe(
    'running: params.yaml:lr 0.1 -> 0.2\nepoch 1epoch 2\nran: params.yaml:lr 0.1 -> 0.2; made 3 files (12 B) in 0.8 s\n',
  );
  expect(written.stderr).toBe('oh\n');
});

test('a failure has code, what, and what to do', () => {
  const { written, printer } = harness();
  printer.failure(new SluiceError('ERR_OUT_MISSING', 'p:t: the command did not make p/out', { hint: 'Correct it.' }));
  expect(written.stderr).toBe('ERR_OUT_MISSING: p:t: the command did not make p/out\n  Correct it.\n');
});

test('SLUICE_TRACE adds the stack', () => {
  const { written, printer } = harness({ SLUICE_TRACE: '1' });
  printer.failure(new SluiceError('ERR_INTERNAL', 'oops', { cause: new Error('deep') }));
  expect(written.stderr).toMatch(/ERR_INTERNAL: oops[\s\S]*cause[\s\S]*deep/);
});

test('warnings, notes and waiting are lines of their own', () => {
  const { written, printer } = harness();
  printer.emit({ type: 'warning', code: 'ERR_REMOTE_DOWN', message: 'backup is down', hint: 'Try later.' });
  printer.emit({ type: 'note', message: 'put p/out back' });
  printer.emit({ type: 'waiting', stage: 'p:t', what: 'another process' });
  expect(written).toEqual({
    stdout: 'put p/out back\nwaiting for another process\n',
    stderr: 'warning: backup is down\n  Try later.\n',
  });
});

test.each([
  ['in CI', { CI: 'true' }, ''],
  ['on a terminal', { CI: 'false' }, '\r\u001b[2K'],
])('progress %s', async (_, env, erase) => {
  const { written, printer } = harness(env, true);
  const progress = {
    type: 'progress',
    phase: 'hashing',
    subject: 'p/out',
    totalFiles: 900,
    bytes: 1,
    totalBytes: 2,
  } as const;
  printer.emit({ ...progress, files: 200 });
  await new Promise((resolve) => setTimeout(resolve, 120));
  printer.emit({ ...progress, files: 400 });
  printer.result(nothing, 1);
  expect(written.stdout.includes('400 of 900')).toBe(erase !== '');
  expect(written.stdout.endsWith(`${erase}unchanged\n`)).toBe(true);
});
