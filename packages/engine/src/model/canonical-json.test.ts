import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

test('sorts keys by UTF-8 bytes and leaves no spaces', () => {
  expect(canonicalJson({ b: [1, 'x', null, true], a: { '\u{1f600}': 1, '\uff5e': 2 } })).toBe(
    '{"a":{"\uff5e":2,"\u{1f600}":1},"b":[1,"x",null,true]}',
  );
});

test('what JSON has no form for is distinct and the same everywhere', () => {
  expect(canonicalJson([Number.NaN, Infinity, -Infinity, -0, 2n ** 70n, 1e21, undefined])).toBe(
    '[NaN,Infinity,-Infinity,0,1180591620717411303424,1e+21,null]',
  );
  expect(canonicalJson(new Date('2026-01-02T03:04:05Z'))).toBe('"2026-01-02T03:04:05.000Z"');
  expect(canonicalJson(new Date(Number.NaN))).toBe('"invalid date"');
  expect(canonicalJson(Buffer.from('hi'))).toBe('"aGk="');
});

test('keys of every name are ordinary', () => {
  const value: unknown = JSON.parse('{"__proto__": 1, "constructor": 2, "size": 3, "toString": 4}');
  expect(canonicalJson(value)).toBe('{"__proto__":1,"constructor":2,"size":3,"toString":4}');
});

test('is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
