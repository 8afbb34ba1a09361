import { mergeTarget } from './merge-target.js';

test('options are merged option by option', () => {
  expect(mergeTarget({ options: { b: 2, c: [3] } }, { executor: 'x', options: { a: 1, b: 1, c: [1] } })).toEqual({
    executor: 'x',
    options: { a: 1, b: 2, c: [3] },
  });
});

test('another executor replaces everything', () => {
  expect(mergeTarget({ executor: 'y' }, { executor: 'x', options: { a: 1 }, configurations: { c: {} } })).toEqual({
    executor: 'y',
  });
});

test('the spread token takes in what was there', () => {
  const base = { options: { list: [1, 2], object: { a: 1, b: 1 }, kept: true } };
  expect(mergeTarget({ options: { list: [0, '...', 3], object: { a: 2, '...': true, b: 2 } } }, base)).toEqual({
    options: { list: [0, 1, 2, 3], object: { a: 1, b: 2 }, kept: true },
  });
  expect(mergeTarget({ options: { kept: false, '...': true, list: 1 } }, base).options).toEqual({
    list: 1,
    object: { a: 1, b: 1 },
    kept: true,
  });
  expect(mergeTarget({ options: { list: ['...', 1], '...': true } }, undefined)).toEqual({ options: { list: [1] } });
});

test('keys of every name are ordinary', () => {
  const target = JSON.parse('{"options": {"__proto__": {"x": 1}, "constructor": 1}}');
  const merged = mergeTarget(target, { options: { a: 1 } });
  expect(JSON.stringify(merged)).toBe('{"options":{"a":1,"__proto__":{"x":1},"constructor":1}}');
  expect(Object.getPrototypeOf(merged.options)).toBe(Object.prototype);
});
