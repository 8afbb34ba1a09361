import fc from 'fast-check';
import { digestOf, rawDigestOf } from '../model/digest.js';
import { fileName } from '../testing/entries.js';
import { damage, damaged, fuzzRuns, valueOrCode } from '../testing/fuzz.js';
import { type SeenDirectory, type Snapshot, seenDirectory } from './snapshot.js';
import { decodeIndex, encodeIndex, type PartMark, WHOLE } from './stat-index.js';

const number = fc.oneof(fc.nat(), fc.double({ noNaN: true, min: 0, max: 2 ** 53 }));

const directory: fc.Arbitrary<SeenDirectory> = fc
  .tuple(
    fc.array(fileName, { maxLength: 3 }),
    fc.uniqueArray(fileName, { maxLength: 6 }),
    fc.array(number, { minLength: 24, maxLength: 24 }),
    fc.boolean(),
  )
  .map(([path, names, numbers, hasNode]) => {
    const seen = seenDirectory(path.join('/'), names);
    names.forEach((name, i) => {
      seen.kinds[i] = i % 4;
      seen.sizes[i] = numbers[i] ?? 0;
      seen.mtimes[i] = numbers[6 + i] ?? 0;
      seen.ctimes[i] = numbers[12 + i] ?? 0;
      seen.inodes[i] = numbers[18 + i] ?? 0;
      seen.flags[i] = i % 2;
      rawDigestOf(Buffer.from(name)).copy(seen.digests, i * 32);
    });
    if (hasNode) seen.node = rawDigestOf(Buffer.from(seen.path));
    return seen;
  });

const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  shape: fc.constantFrom('file', 'directory'),
  directories: fc.uniqueArray(directory, { selector: ({ path }) => path, maxLength: 4 }),
});

const whole = digestOf('whole');
const mark = fc.constantFrom<PartMark>(WHOLE, { ...WHOLE, partOf: whole }, { ...WHOLE, changedPartOf: whole });

test('what is written is read', () => {
  fc.assert(
    fc.property(snapshot, mark, (seen, part) => {
      // Written so late that nothing is young.
      const index = decodeIndex(encodeIndex(seen, part, 1e17, 5), 5);
      expect([...index.directories.values()]).toEqual(seen.directories);
      expect(index).toMatchObject({ shape: seen.shape, ...part, copied: false });
    }),
    fuzzRuns(),
  );
});

test('any damage is seen', () => {
  fc.assert(
    fc.property(snapshot, fc.array(damage, { minLength: 1, maxLength: 3 }), (seen, damages) => {
      const bytes = encodeIndex(seen, WHOLE, 1e12, 5);
      const hurt = damages.reduce(damaged, bytes);
      const read = valueOrCode(() => decodeIndex(hurt, 5));
      if (!hurt.equals(bytes)) expect(read).toEqual({ code: 'ERR_INDEX_INVALID' });
    }),
    fuzzRuns(1000),
  );
});

test('whatever stands under a right checksum, nothing is read beyond the end and nothing large is reserved', () => {
  const numbers = fc.constantFrom(0, 1, 2, 64, 2 ** 31, 2 ** 32 - 1);
  fc.assert(
    fc.property(snapshot, fc.array(fc.tuple(fc.nat(200), numbers), { maxLength: 4 }), (seen, changes) => {
      const bytes = encodeIndex(seen, WHOLE, 1e12, 5);
      for (const [position, value] of changes) {
        if (position + 4 <= bytes.length && (position + 4 <= 60 || position >= 92))
          bytes.writeUInt32LE(value, position);
      }
      resum(bytes);
      const read = valueOrCode(() => decodeIndex(bytes, 5));
      if ('code' in read) expect(read.code).toBe('ERR_INDEX_INVALID');
    }),
    fuzzRuns(),
  );
});

/** Puts the right checksum into changed bytes. */
function resum(bytes: Buffer): void {
  rawDigestOf(Buffer.concat([bytes.subarray(0, 60), bytes.subarray(92)])).copy(bytes, 60);
}
