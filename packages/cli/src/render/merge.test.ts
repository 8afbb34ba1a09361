import { CONFLICT, MERGE, RESOLVED } from '../testing/samples/index.js';
import { conflictLines } from './conflicts.js';
import { mergeText, resolveText } from './merge.js';

test('a merge of a lock', () => {
  expect(mergeText(MERGE)).toBe(
    [
      'conflict  people:raw#1.jpg  changed by us, removed by them  base 5.8 KiB, ours 5.9 KiB',
      '1 conflict in people/sluice-lock.json; next: sluice resolve --ours or --theirs, with a selector for some of them; then git add',
    ].join('\n'),
  );
  expect(mergeText({ ...MERGE, conflicts: [] })).toBe(
    'merged people/sluice-lock.json: raw; sluice pull brings the data',
  );
  expect(mergeText({ ...MERGE, stages: [], conflicts: [] })).toBe('');
  expect(mergeText({ ...MERGE, text: true })).toBe('merged people/sluice-lock.json as text');
  expect(mergeText({ ...MERGE, text: true, markers: true })).toBe('people/sluice-lock.json holds merge markers');
});

test('what was resolved', () => {
  expect(resolveText(RESOLVED, false)).toBe('resolved 1 conflict; next: git add people/sluice-lock.json');
  const whole = { ...CONFLICT, path: '', selector: 'people:raw', class: 'both-changed', missing: 'sha256:1' } as const;
  expect(
    resolveText(
      {
        resolved: [],
        left: [
          { ...whole, missing: null },
          { ...CONFLICT, path: 'b' },
        ],
        locks: [],
      },
      false,
    ),
  ).toMatch(/^nothing resolved; 2 conflicts left\nconflict {2}people:raw/);
});

test('many conflicts are counted unless all are asked for', () => {
  const many = Array.from({ length: 25 }, () => CONFLICT);
  expect(conflictLines(many, false)).toHaveLength(21);
  expect(conflictLines(many, false).at(-1)).toBe('and 5 more; --verbose lists all');
  expect(conflictLines(many, true)).toHaveLength(25);
});
