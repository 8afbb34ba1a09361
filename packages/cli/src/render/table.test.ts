import { table } from './table.js';

test('cells stand under each other, and no line ends with spaces', () => {
  const rows = [
    ['a', 'long cell', 'x'],
    ['längst', '', ''],
    ['b', 'c'],
  ];
  expect(table(rows, '> ')).toEqual(['> a       long cell  x', '> längst', '> b       c']);
});
