import fc from 'fast-check';
import {
  digestFromRaw,
  digestOf,
  hexOf,
  parseDigest,
  rawDigestOf,
  rawOf,
  shortDigest,
  tryParseDigest,
} from './digest.js';
import { DigestTable } from './digest-table.js';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('is SHA-256 with its name in front', () => {
  expect(digestOf('')).toBe(EMPTY);
  expect(digestOf('é')).toBe(digestOf(Buffer.from([0xc3, 0xa9])));
  expect(digestFromRaw(rawDigestOf(Buffer.alloc(0)))).toBe(EMPTY);
  expect(digestFromRaw(Buffer.concat([Buffer.alloc(3), rawOf(digestOf('a'))]), 3)).toBe(digestOf('a'));
  expect(hexOf(digestOf(''))).toBe(EMPTY.slice(7));
  expect(shortDigest(digestOf(''))).toBe('sha256:e3b0c44298fc');
});

test('parses nothing else', () => {
  expect(parseDigest(EMPTY)).toBe(EMPTY);
  for (const text of [
    '',
    'sha256:',
    EMPTY.toUpperCase(),
    EMPTY.slice(0, -1),
    `${EMPTY}0`,
    `${EMPTY}\n`,
    EMPTY.slice(7),
    5,
    null,
  ]) {
    expect(tryParseDigest(text)).toBeUndefined();
  }
  expect(() => parseDigest('sha1:ab')).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
});

test('a table answers like a map', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.nat()), { maxLength: 600 }), fc.nat(200), (pairs, expected) => {
      const table = new DigestTable(expected);
      const model = new Map<string, number>();
      for (const [key, value] of pairs) {
        const raw = Buffer.concat([Buffer.from([0]), rawDigestOf(Buffer.from(String(key)))]);
        expect(table.set(raw, 1, value)).toBe(!model.has(String(key)));
        model.set(String(key), value);
      }
      expect(table.size).toBe(model.size);
      for (let key = 0; key <= 400; key++) {
        const raw = rawDigestOf(Buffer.from(String(key)));
        expect(table.get(raw)).toBe(model.get(String(key)));
        expect(table.has(raw)).toBe(model.has(String(key)));
      }
      const listed = [...table.entries()].map(([raw, value]) => `${raw.toString('hex')} ${value}`).sort();
      const wanted = [...model]
        .map(([key, value]) => `${rawDigestOf(Buffer.from(key)).toString('hex')} ${value}`)
        .sort();
      expect(listed).toEqual(wanted);
    }),
    { numRuns: 30 },
  );
});

test('a table tells digests apart that begin alike', () => {
  const table = new DigestTable();
  const raws = Array.from({ length: 300 }, (_, i) => {
    const raw = Buffer.alloc(32, 7);
    raw.writeUInt16BE(i, 30);
    return raw;
  });
  for (const [i, raw] of raws.entries()) table.set(raw, 0, i);
  expect(raws.map((raw) => table.get(raw))).toEqual(raws.map((_, i) => i));
});
