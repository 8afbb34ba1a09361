import { DOCTOR } from '../testing/samples/index.js';
import { doctorFailure, doctorText } from './doctor.js';

test('each finding says what it is and what to do, the last line is the verdict', () => {
  expect(doctorText(DOCTOR)).toBe(
    [
      'problem  git-tracked  people:raw people/raw: git tracks people/raw/1.jpg',
      '         Run: git rm -r --cached "people/raw"',
      'problem  preparation  nx.json: does not load the plugin',
      '         done: Add it.',
      'note     reflink  store and workspace: cannot share bytes',
      '         Use another file system.',
      'looked at 3 stages in 40 ms: 1 problem, 1 note, 1 repaired',
    ].join('\n'),
  );
  expect(doctorText({ ...DOCTOR, findings: [] })).toBe('looked at 3 stages in 40 ms: nothing is wrong');
});

test('a problem that is left is a failure, a note is none', () => {
  expect(doctorFailure(DOCTOR, true)).toMatchObject({
    code: 'ERR_DOCTOR_FAILED',
    message: '1 problem is not repaired',
  });
  const [tracked, plugin, note] = DOCTOR.findings;
  if (tracked === undefined || plugin === undefined || note === undefined) throw new Error('a sample is missing');
  const unfixed = { ...DOCTOR, findings: [tracked, { ...plugin, fixed: false }] };
  expect(doctorFailure(unfixed, false)?.hint).toContain('--fix');
  expect(doctorFailure(DOCTOR, false)?.hint).not.toContain('--fix');
  expect(doctorFailure({ ...DOCTOR, findings: [plugin, note] }, true)).toBeUndefined();
});
