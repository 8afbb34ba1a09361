import { EXPLAIN, sampleDigest } from '../testing/samples/index.js';
import { explainText } from './explain.js';

test('a verdict, then each part before and after', () => {
  expect(explainText(EXPLAIN, false)).toBe(
    [
      'model:train would run: params.yaml:lr 0.1 -> 0.2',
      '',
      '   part                  before        after',
      '   command               node fit.mjs  (same)',
      '*  dep data/x            (none)        tree sha256:3c3c3c3c3c3c…',
      '*  env SEED              (a value)     (another value)',
      '*  param params.yaml:lr  0.1           0.2',
    ].join('\n'),
  );
});

test('the digest of a variable is not shown, even in full', () => {
  const text = explainText(EXPLAIN, true);
  expect(text).toContain(`tree ${sampleDigest('3c')}`);
  expect(text).not.toContain(sampleDigest('1a'));
});

test('a first run has values only', () => {
  const parts = EXPLAIN.parts.map((part) => ({ ...part, before: null, changed: true }));
  const reasons = [{ kind: 'new', name: '', before: null, after: null }] as const;
  const text = explainText({ ...EXPLAIN, state: 'new', reasons, parts }, false);
  expect(text).toMatch(/^model:train would run: nothing committed yet\n\n +part +value\n/);
});

test('what need not run says why', () => {
  expect(explainText({ ...EXPLAIN, state: 'unchanged', reasons: [], parts: [] }, false)).toBe(
    'model:train would not run: nothing changed',
  );
  expect(explainText({ ...EXPLAIN, state: 'unchanged', frozen: true, reasons: [], parts: [] }, false)).toBe(
    'model:train would not run: it is declared as "frozen", so its deps and params are not looked at',
  );
  expect(explainText({ ...EXPLAIN, state: 'restorable', parts: [] }, false)).toContain('would be restored');
});

test('a long value is cut unless it is asked for in full', () => {
  const command = 'x'.repeat(200);
  const parts = [{ kind: 'command', name: '', before: 'y', after: command, changed: true }] as const;
  expect(explainText({ ...EXPLAIN, parts }, false)).toContain(`${'x'.repeat(47)}…`);
  expect(explainText({ ...EXPLAIN, parts }, true)).toContain(command);
});
