import { makeReport } from './report.js';
import { summaryOf } from './summary.js';
import type { TaskNote } from './task-notes.js';

const NOTE: TaskNote = {
  project: 'p',
  target: 'make',
  configuration: null,
  outcome: 'ran',
  reasons: [{ kind: 'param', name: 'params.yaml:lr', before: '1', after: '2' }],
  files: 1,
  bytes: 2048,
  source: null,
  receivedBytes: 0,
  savedMs: 0,
  ms: 1500,
  referenceOnly: [],
  error: null,
};

function summary(stages: readonly TaskNote[]): string {
  const run = {
    root: '/w',
    command: 'nx',
    exitCode: 0,
    wasInterrupted: false,
    stages,
    pushed: undefined,
    remotes: [],
    ms: 1,
  };
  const standing = { area: 'trusted', mayWrite: true, why: 'Because.' };
  return summaryOf(
    makeReport([run], { startedAt: new Date(0), ms: 1, standing, isPushing: true, lockChanged: false }),
    '/w',
  );
}

test('what failed and ran comes first, what is unchanged is folded away', () => {
  const text = summary([
    { ...NOTE, project: 'a', outcome: 'unchanged', reasons: [], savedMs: 200_000 },
    NOTE,
    { ...NOTE, project: 'z', outcome: 'failed', reasons: [], error: { code: 'ERR_COMMAND_FAILED', message: 'exit 3' } },
  ]);
  expect(text).toMatch(/^### Sluice: 3 stages: 1 failed, 1 ran, 1 unchanged\n\nsaved 3 min 20 s/);
  expect(text.indexOf('ERR&#95;COMMAND&#95;FAILED')).toBeLessThan(text.indexOf('🔨 ran'));
  expect(text).toContain('| 1.5 s | 2.0 KiB |');
  expect(text).toMatch(/<details><summary>1 unchanged stage<\/summary>[\s\S]*p?a&#58;make[\s\S]*<\/details>/);
});

test('nothing that a repository names is taken for Markdown, HTML or a mention', () => {
  const text = summary([{ ...NOTE, project: '<img src=x>|`a`\n@all', target: '[x](http://e)' }]);
  expect(text).not.toMatch(/<img|@all|\]\(|`a`/);
  expect(text.split('\n').filter((line) => line.startsWith('| <code>'))).toHaveLength(1);
});

test('ten thousand stages with long reasons fit', () => {
  const reasons = NOTE.reasons.map((reason) => ({ ...reason, after: 'x'.repeat(100_000) }));
  const text = summary(Array.from({ length: 10_000 }, (_, at) => ({ ...NOTE, project: `p${at}`, reasons })));
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(text).toContain('10,000 stages');
});
