import fc from 'fast-check';
import { compareUtf8, isWithin, joinRelPath, parseRelPath, ROOT, sortUtf8, tryParseRelPath } from './path.js';

test.each(['a', 'a/b', '.a/..b/...', '-rf', 'a b/\n', '\ufffd', ''])('%j is a path', (text) => {
  expect(tryParseRelPath(text)).toBe(text);
});

test.each(['/', '/a', 'a/', 'a//b', '.', './a', 'a/.', '..', '../a', 'a/../b', 'a/..', 'a\0b', '\ud800'])(
  '%j is none',
  (text) => {
    expect(tryParseRelPath(text)).toBeUndefined();
    expect(() => parseRelPath(text)).toThrow(expect.objectContaining({ code: 'ERR_PATH_UNSAFE' }));
  },
);

test('joins paths and refuses what would leave them', () => {
  const base = parseRelPath('a/b');
  expect(joinRelPath(base, 'c/d')).toBe('a/b/c/d');
  expect(joinRelPath(base, ROOT)).toBe('a/b');
  expect(joinRelPath(ROOT, 'c')).toBe('c');
  for (const below of ['../c', '/c', 'c/..']) {
    expect(() => joinRelPath(base, below)).toThrow(expect.objectContaining({ code: 'ERR_PATH_UNSAFE' }));
  }
});

test('knows what lies inside', () => {
  const [a, ab, abc] = ['a', 'ab', 'a/b'].map(parseRelPath);
  if (a === undefined || ab === undefined || abc === undefined) throw new Error();
  expect([isWithin(abc, a), isWithin(a, a), isWithin(ab, a), isWithin(a, abc), isWithin(a, ROOT)]).toEqual([
    true,
    true,
    false,
    false,
    true,
  ]);
});

test('orders as UTF-8 bytes do', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'z', 'é', '\uffee', '\u{1f600}', '\u{10ffff}'), maxLength: 5 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  fc.assert(
    fc.property(fc.array(text), (names) => {
      const wanted = names
        .map((name) => Buffer.from(name))
        .sort(Buffer.compare)
        .map(String);
      expect(sortUtf8([...names])).toEqual(wanted);
    }),
  );
});
