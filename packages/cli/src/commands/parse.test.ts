import { parseAge, parseBytes, parseCount } from './parse.js';

test('sizes are decimal or binary', () => {
  expect(['1024', '500MB', '1.5GiB', '2 kb'].map(parseBytes)).toEqual([1024, 500_000_000, 1_610_612_736, 2000]);
  expect(() => parseBytes('much')).toThrow('Write a size');
  expect(() => parseBytes('-1')).toThrow('Write a size');
});

test('ages have a unit', () => {
  expect(['30m', '12h', '14d'].map(parseAge)).toEqual([1_800_000, 43_200_000, 1_209_600_000]);
  expect(() => parseAge('14')).toThrow('Write an age');
});

test('a count begins at one', () => {
  expect(parseCount('3')).toBe(3);
  expect(() => parseCount('0')).toThrow('whole number');
});
