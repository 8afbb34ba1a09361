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

function summary(stages: readonly TaskNote[], edges: readonly (readonly [string, string])[] = []): string {
  const run = {
    root: '/w',
    command: 'nx',
    exitCode: 0,
    wasInterrupted: false,
    stages,
    edges,
    pushed: undefined,
    review: undefined,
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

test('a graph shows who made what for whom, by what became of them, and names are only labels', () => {
  const odd = { ...NOTE, project: 'a"]\n```\n`x`', outcome: 'unchanged' as const };
  const text = summary(
    [NOTE, odd],
    [
      [`${odd.project}:make`, 'p:make'],
      ['elsewhere:make', 'p:make'],
    ],
  );
  const [, graph = ''] = /```mermaid\n([\s\S]*?)\n```/.exec(text) ?? [];
  expect(graph.split('\n').slice(0, 4)).toEqual([
    'flowchart LR',
    '  s0["p:make"]:::ran',
    '  s1["a#34;#93;#92;n#96;#96;#96;#92;n#96;x#96;:make"]:::unchanged',
    '  s1 --> s0',
  ]);
  expect(summary([NOTE, odd])).not.toContain('mermaid');
});

test('of many stages a graph draws those that did something', () => {
  const notes = Array.from({ length: 500 }, (_, at) => ({
    ...NOTE,
    project: `p${at}`,
    outcome: at % 100 === 99 ? ('ran' as const) : ('unchanged' as const),
  }));
  const edges = notes.slice(1).map((note, at) => [`p${at}:make`, `${note.project}:make`] as const);
  const text = summary(notes, edges);
  expect(text).toContain('(460 more stages not shown)');
  expect(text).toContain('["p499:make"]:::ran');
  expect(text.match(/ --> /g)?.length).toBeLessThan(40);
});

test('ten thousand stages with long reasons fit', () => {
  const reasons = NOTE.reasons.map((reason) => ({ ...reason, after: 'x'.repeat(100_000) }));
  const text = summary(Array.from({ length: 10_000 }, (_, at) => ({ ...NOTE, project: `p${at}`, reasons })));
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(text).toContain('10,000 stages');
  expect(text).toContain('p499');
});
