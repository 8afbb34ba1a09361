import { runMain } from '../testing/run-main.js';
import { PLAN, RELOCK } from '../testing/samples/index.js';
import { matrixLines, planText } from './plan.js';
import { relockText } from './relock.js';

test('what would be done, why, and who does it', () => {
  expect(planText(PLAN, false)).toBe(
    [
      'people:small  run      people/params.yaml:size 1 -> 2  fetches 679.0 KiB',
      'people:sum    may run  after people:small',
      '',
      'level 1: 1 entry',
      '  people:small',
      '',
      'level 2: 1 entry',
      '  people:sum',
      '',
      '3 stages: 1 run, 1 may run, 1 unchanged',
    ].join('\n'),
  );
  expect(planText({ stages: [], unchanged: 2, levels: [] }, false)).toBe('2 stages: 2 unchanged');
});

test('a long level is cut for people, and whole for --verbose', () => {
  const entries = Array.from({ length: 22 }, (_, at) => ({ name: `p:${at}`, stages: [`p:${at}`, `q:${at}`], why: '' }));
  const report = { stages: [], unchanged: 0, levels: [entries] };
  expect(planText(report, false)).toContain('  p:19\n  and 2 more\n');
  expect(planText(report, true)).toContain('  p:21 q:21\n');
});

test('matrices, a line each, with a stage on a line each', () => {
  const [first = ''] = matrixLines({ ...PLAN, levels: [[{ name: 'a', stages: ['p:a', 'p:b'], why: 'x' }]] });
  expect(first).toBe('level-1=[{"name":"a","stages":"p:a\\np:b","why":"x"}]');
});

test('locks that were rebuilt, and those that were left', async () => {
  expect(relockText(RELOCK)).toBe(
    [
      'people:small  locked  people/params.yaml:size 1 -> 2',
      'people:sum    left    nothing committed yet',
      '3 stages: 1 locked, 1 left, 1 unchanged',
    ].join('\n'),
  );
  expect((await runMain(['relock', '--exit-code'])).code).toBe(1);
  expect((await runMain(['relock'])).code).toBe(0);
  expect((await runMain(['plan', '--matrix'])).out).toMatch(/^level-1=\[.*\]\nlevel-2=\[.*\]\n$/);
});
