import { storageKey, tryParseStorageKey } from './port.js';

test('keys are safe relative paths', () => {
  for (const text of ['format', 'shared/maps/ab/cd.map', 'pr/12/records/0a/b.json', 'a_b-c.d']) {
    expect(tryParseStorageKey(text)).toBe(text);
  }
  for (const text of [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    '../a',
    'a/.b',
    'A',
    'a\\b',
    'a b',
    'a\0',
    'é',
    'a\n',
    'x'.repeat(513),
  ]) {
    expect(tryParseStorageKey(text)).toBeUndefined();
  }
  expect(() => storageKey('a/../b')).toThrow(TypeError);
});
