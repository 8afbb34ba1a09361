import { anyFilter, filterBelow, mayReach, pathFilter } from './path-filter.js';

test('a file or a directory', () => {
  const filter = filterBelow('a/b');
  expect(['a/b', 'a/b/c', 'a/bc', 'a', 'b', ''].filter(filter)).toEqual(['a/b', 'a/b/c']);
  expect(['', 'x'].filter(filterBelow(''))).toEqual(['', 'x']);
});

test.each<[string, string, string | undefined, string | undefined, boolean]>([
  ['above', '', undefined, undefined, true],
  ['above, in a range that begins with it', 'a', 'b', 'c', true],
  ['above, in a range before it', 'a', 'a', 'b', false],
  ['above, in a range behind it', 'a', 'b0', undefined, false],
  ['above, in the first range', 'a', undefined, 'bb', true],
  ['itself', 'a/b', 'x', 'y', true],
  ['below', 'a/b/c', undefined, undefined, true],
  ['beside', 'a/c', undefined, undefined, false],
  ['beside, with a longer name', 'a/bc', undefined, undefined, false],
])('directories %s', (_, directory, from, to, expected) => {
  expect(mayReach(filterBelow('a/b'), directory, from, to)).toBe(expected);
});

test('names are in the order of their UTF-8 bytes', () => {
  expect(mayReach(filterBelow('\uffee'), '', '\uff00', '\u{1f600}')).toBe(true);
  expect(mayReach(filterBelow('\u{1f600}'), '', '\uff00', '\uffff')).toBe(false);
});

test('several filters want what any of them wants', () => {
  const filter = anyFilter([filterBelow('a'), pathFilter((path) => path.endsWith('.csv'), ['b'])]);
  expect(['a', 'a/x', 'b/x', 'b/x.csv', 'c'].filter(filter)).toEqual(['a', 'a/x', 'b/x.csv']);
  expect(['a', 'b/c', 'c', ''].map((directory) => mayReach(filter, directory))).toEqual([true, true, false, true]);
  expect(mayReach(anyFilter([filter, (path) => path === 'c']), 'z')).toBe(true);
  expect(mayReach(anyFilter([]), 'a')).toBe(false);
});
