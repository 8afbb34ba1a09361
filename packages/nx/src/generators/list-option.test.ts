import { listOption } from './list-option.js';

test.each([
  [undefined, undefined],
  ['', undefined],
  [' , ', undefined],
  [[], undefined],
  ['a', ['a']],
  ['a, b', ['a', 'b']],
  ['src/*.{py,sh},b', ['src/*.{py,sh}', 'b']],
  [
    ['a,b', 'c'],
    ['a,b', 'c'],
  ],
])('%j', (value, expected) => {
  expect(listOption(value)).toEqual(expected);
});
