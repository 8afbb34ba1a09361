import { parseDigest } from '../model/digest.js';
import type { DiffOut, DiffReport } from '../operations/diff.js';
import { diffMarkdown } from './diff-markdown.js';
import { foldChanges } from './fold-changes.js';

test('many changes fold by directory, few do not', () => {
  const make = (directory: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ letter: 'A' as const, path: `${directory}/${i}`, after: 10 }));
  const changes = [...make('big/a', 500), ...make('big/b', 300), ...make('few', 3)];
  expect(
    foldChanges(changes, false).map((line) => (line.kind === 'file' ? line.change.path : [line.path, line.counts.A])),
  ).toEqual([['big/a', 500], ['big/b', 300], 'few/0', 'few/1', 'few/2']);
  const wide = Array.from({ length: 100 }, (_, i) => make(`d/${i}`, 9)).flat();
  expect(foldChanges(wide, false)).toMatchObject([{ kind: 'directory', path: 'd', counts: { A: 900 }, after: 9000 }]);
  expect(foldChanges(wide, true)).toHaveLength(900);
});

const digest = parseDigest(`sha256:${'0'.repeat(64)}`);

function out(at: number, files: number): DiffOut {
  const added = Array.from({ length: files }, (_, i) => ({
    path: `${i}.png`,
    digest,
    kind: 'file' as const,
    bytes: 10,
  }));
  return {
    project: 'p',
    target: 't',
    path: `data/${at}`,
    added,
    deleted: [],
    modified: [],
    renamed: [],
    files: { before: 0, after: files },
    bytes: { before: 0, after: 10 * files, new: 10 },
    content: [],
  };
}

function report(outs: number, files: number, values: number): DiffReport {
  return {
    before: { kind: 'lock' },
    after: { kind: 'workspace' },
    outs: Array.from({ length: outs }, (_, at) => out(at, files)),
    params: Array.from({ length: values }, (_, at) => ({
      project: 'p',
      target: 't',
      name: `params.yaml:${at}`,
      before: '1',
      after: '2',
    })),
    metrics: [{ project: 'p', target: 't', path: 'm.json', name: 'score', before: 1, after: 0.5 }],
  };
}

describe('Markdown', () => {
  test('sides may have names that mean something', () => {
    const text = diffMarkdown(report(1, 1, 0), { before: 'main `x`', after: 'this <run>' });
    expect(text).toMatch(/^### Data: <code>main &#96;x&#96;<\/code> → <code>this &#60;run&#62;<\/code>\n/);
  });

  test.each([
    [1000, 30, 1000],
    [3, 40, 5000],
    [5000, 1, 1],
  ])('%i outs with %i files each and %i params fit, and what does not is counted', (outs, files, values) => {
    const full = diffMarkdown(report(outs, files, values));
    expect(full).not.toMatch(/not fit|and [\d,]+ more/);
    for (const mostCharacters of [2000, 20_000, 60_000]) {
      const text = diffMarkdown(report(outs, files, values), { mostCharacters });
      expect(text.length).toBeLessThanOrEqual(mostCharacters);
      expect(text).toMatch(/not fit|and [\d,]+ more/);
      expect(text).toContain('<code>data/0</code>');
      expect(text).toContain('<code>m.json:score</code>');
      expect(text.split('<details>').length).toBe(text.split('</details>').length);
    }
  });
});
