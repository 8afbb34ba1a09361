import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { type StorageKey, storageKey } from '../port.js';
import { type CacheIndex, type CacheRow, encodeIndex, parseIndex } from './cache-index.js';

const row: fc.Arbitrary<CacheRow> = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ bytes: bytes.length, data: Buffer.from(bytes) })),
    fc.record({
      bytes: fc.maxSafeNat(),
      offset: fc.maxSafeNat(),
      name: fc.constantFrom('00'.repeat(16), 'ab'.repeat(16)),
    }),
  )
  .chain((place) =>
    fc.maxSafeNat().map((usedIn) => ({
      bytes: place.bytes,
      usedIn,
      place:
        'data' in place
          ? { kind: 'inline' as const, data: place.data }
          : { kind: 'data' as const, name: place.name, offset: place.offset },
    })),
  );

const index: fc.Arbitrary<CacheIndex> = fc.record({
  generation: fc.maxSafeNat(),
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  rows: fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z0-9]{1,12}(\/[a-z0-9]{1,5})?$/), row), {
      selector: ([key]) => key,
      maxLength: 12,
    })
    .map((rows) => new Map<StorageKey, CacheRow>(rows.map(([key, value]) => [storageKey(key), value]))),
});

test('what is written can be read', () => {
  fc.assert(
    fc.property(index, (written) => {
      const read = parseIndex(encodeIndex(written), 'here');
      if (read === 'damaged') throw new Error('it is damaged');
      expect({ ...read, rows: new Map([...read.rows].sort()) }).toEqual({
        ...written,
        rows: new Map([...written.rows].sort()),
      });
    }),
  );
});

test('of damaged bytes nothing is read, and nothing breaks', () => {
  fc.assert(
    fc.property(index, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, where, flip) => {
      const bytes = encodeIndex(written);
      const at = where % bytes.length;
      // The version has an answer of its own.
      if (at === 4) return;
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      expect(parseIndex(damaged, 'here')).toBe('damaged');
      expect(parseIndex(bytes.subarray(0, at), 'here')).toBe('damaged');
    }),
  );
  expect(parseIndex(randomBytes(1000), 'here')).toBe('damaged');
});

test('one whose checksum is right is still compared with the rules', () => {
  const make = (rows: [string, CacheRow][]): Buffer =>
    encodeIndex({ generation: 1, id: Buffer.alloc(16), rows: new Map(rows as [StorageKey, CacheRow][]) });
  const inline: CacheRow = { bytes: 1, usedIn: 1, place: { kind: 'inline', data: Buffer.from('x') } };
  expect(parseIndex(make([['a', inline]]), 'here')).not.toBe('damaged');
  expect(parseIndex(make([['../a', inline]]), 'here')).toBe('damaged');
  expect(parseIndex(make([['a', { ...inline, bytes: 2 ** 40 }]]), 'here')).toBe('damaged');
  expect(parseIndex(make([['a', { ...inline, bytes: 0 }]]), 'here')).toBe('damaged');
});
