import { VERIFY } from '../testing/samples/index.js';
import { verifyFailure, verifyText } from './verify.js';

test('each finding has a line, the last one is the verdict', () => {
  expect(verifyText(VERIFY)).toBe(
    [
      'store  sha256:1a1a1a1a1a1a…: its bytes do not have its digest (repaired)',
      'checked 6 objects and 2 files (1.3 MiB) in 40 ms: 1 finding, 1 repaired',
    ].join('\n'),
  );
  expect(verifyText({ ...VERIFY, checked: { ...VERIFY.checked, bytes: 0 }, findings: [] })).toBe(
    'checked 6 objects and 2 files in 40 ms: nothing is wrong',
  );
});

test('what is not repaired is a failure, with what is left to do', () => {
  expect(verifyFailure(VERIFY, { repaired: true, remote: false })).toBeUndefined();
  const open = { ...VERIFY, findings: VERIFY.findings.map((finding) => ({ ...finding, repaired: false })) };
  expect(verifyFailure(open, { repaired: false, remote: false })?.hint).toContain('--repair');
  expect(verifyFailure(open, { repaired: true, remote: false })?.hint).toContain('sluice status');
  expect(verifyFailure(open, { repaired: false, remote: true })?.hint).toContain('--remote --deep --repair');
  expect(verifyFailure(open, { repaired: true, remote: true })?.hint).toContain('push --verify');
});
