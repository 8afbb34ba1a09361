import type { DiffReport } from '@sluice/engine';
import { runMain } from '../testing/run-main.js';
import { DIFF, LOG } from '../testing/samples/index.js';
import { changedPaths, diffText } from './diff.js';
import { graphLines } from './graph.js';
import { logText } from './log.js';

async function text(...argv: string[]): Promise<string> {
  const { code, out, err } = await runMain(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

test('ls shows a tree with sizes, and what is in the store', async () => {
  expect(await text('ls')).toBe(
    [
      'people:raw  people/raw  10 files, 679.0 KiB; 3 files listed, 114.6 KiB; 1 of 3 in the store (300 B)',
      '  114.3 KiB   1999/  2 files',
      '   39.1 KiB     a\\n.jpg',
      '   75.2 KiB     b.sh (executable)',
      '      300 B * link (link)',
      '',
    ].join('\n'),
  );
  expect(await text('ls', '-z')).toBe('people/raw/1999/a\n.jpg\0people/raw/1999/b.sh\0people/raw/link\0');
});

test('cat prints the bytes and nothing else, with --quiet too', async () => {
  expect(await text('cat', 'people:raw#1.jpg', '-q')).toBe('a\0b\u00e9');
});

test('log shows who, what, which run and which branches, on their lines', async () => {
  expect(await text('log')).toMatchSnapshot();
  expect(await text('log', '--graph', '-v')).toMatchSnapshot();
  expect(logText({ commits: [], shallow: false }, { graph: true, verbose: false })).toBe(
    'no commit has changed this data',
  );
  expect(logText({ ...LOG, shallow: true }, { graph: false, verbose: false })).toMatch(/git fetch --unshallow/);
});

test('blame shows a commit per file', async () => {
  expect(await text('blame', 'people:raw')).toBe(
    [
      '^a1a1a1a1a     2026-01-01  Ada  5.8 KiB   people/raw/1.jpg  Faces',
      'not committed                   39.1 KiB  people/raw/2.jpg',
      '',
    ].join('\n'),
  );
});

test('diff shows files, contents, params and metrics; names stay on their lines', async () => {
  expect(await text('diff')).toMatchSnapshot();
  expect(await text('diff', '--md')).toMatchSnapshot();
  const nothing: DiffReport = { ...DIFF, outs: [], params: [], metrics: [] };
  expect(diffText(nothing, false)).toBe('no differences between main and workspace');
  expect([...changedPaths(DIFF)]).toEqual([
    'D',
    'people/raw/gone.jpg',
    'R',
    'people/raw/old.jpg',
    'people/raw/moved\n.jpg',
    'A',
    'people/raw/new|name.jpg',
    'M',
    'people/raw/table.csv',
  ]);
});

test('three states are one too many', async () => {
  expect(await runMain(['diff', 'a', 'b..c'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('not 3: a, b, c'),
  });
  expect(await runMain(['cat', 'people:raw', '--range', '9-1'])).toMatchObject({ code: 2 });
});

test('summary has a row per out', async () => {
  expect(await text('summary')).toMatchSnapshot();
});

test('a graph is drawn as git draws it', () => {
  const draw = (...nodes: [string, ...string[]][]): string[] =>
    graphLines(
      nodes.map(([commit, ...parents]) => ({ commit, parents })),
      ({ commit }) => [commit],
    );
  expect(draw(['c', 'b'], ['b', 'a'], ['a'])).toEqual(['* c', '* b', '* a']);
  expect(draw(['m', 'b', 'c'], ['c', 'a'], ['b', 'a'], ['a'])).toEqual(['*   m', '|\\', '| * c', '* | b', '|/', '* a']);
  expect(draw(['x', 'a'], ['y', 'a'], ['z', 'a'], ['a'])).toEqual(['* x', '| * y', '| | * z', '|_|/', '|/', '* a']);
  expect(draw(['x', 'a'], ['y'], ['z', 'a'], ['a'])).toEqual(['* x', '| * y', '| * z', '|/', '* a']);
  expect(draw(['m', 'a', 'b', 'c'], ['c'], ['b'], ['a'])).toEqual([
    '*     m',
    '|\\',
    '| |\\',
    '| | * c',
    '| * b',
    '* a',
  ]);
  // A parent that is not shown leads out of the picture.
  expect(draw(['b', 'a'])).toEqual(['* b']);
});
