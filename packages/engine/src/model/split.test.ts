import fc from 'fast-check';
import { entriesOf } from '../testing/entries.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { digestFromRaw, digestOf } from './digest.js';
import { type EncodedDirectory, encodeDirectory, MAX_PART_ENTRIES, SPLIT_ENTRIES } from './split.js';
import { decodeNode, PART, SPLIT, WHOLE } from './tree.js';

function encode(names: Iterable<string>, changed?: string): EncodedDirectory {
  return encodeDirectory(
    entriesOf([...names].map((name) => (name === changed ? { name, content: 'changed' } : { name }))),
  );
}

function rootOf(encoded: EncodedDirectory): string {
  return digestFromRaw(encoded.top.raw);
}

/** Parts of `after` that `before` does not have. */
function freshParts(before: EncodedDirectory, after: EncodedDirectory): number {
  const known = new Set(before.parts.map(({ raw }) => raw.toString('hex')));
  return after.parts.filter(({ raw }) => !known.has(raw.toString('hex'))).length;
}

const NAMES = Array.from({ length: 6000 }, (_, i) => `file-${i}.txt`);

test('splits from 1,024 entries on', () => {
  expect(encode(NAMES.slice(0, SPLIT_ENTRIES - 1)).parts).toHaveLength(0);
  const split = encode(NAMES.slice(0, SPLIT_ENTRIES));
  expect(split.parts.length).toBeGreaterThan(0);
  expect(decodeNode(split.top.bytes, 'top').shape).toBe(SPLIT);
  expect(rootOf(split)).toBe('sha256:e1a32b8a08cdb5c75a73484eb4c210b32fec938915f1b37251f20308a2719c54');
});

test('the top names its parts with their sums, and the parts hold the entries', () => {
  const encoded = encode(NAMES);
  const top = decodeNode(encoded.top.bytes, 'top');
  const parts = encoded.parts.map(({ bytes }) => decodeNode(bytes, 'part'));
  expect(parts.every(({ shape }) => shape === PART)).toBe(true);
  expect(top.names).toEqual(parts.map(({ names }) => names[0]));
  expect(top.counts).toEqual(parts.map(({ names }) => names.length));
  expect([...top.sizes]).toEqual(parts.map(({ totalBytes }) => totalBytes));
  expect(parts.flatMap(({ names }) => names)).toEqual([...NAMES].sort());
  expect(encoded.parts.map(({ bytes, raw }) => digestOf(bytes) === digestFromRaw(raw))).not.toContain(false);
  // About one name in 512 begins a part.
  expect(parts.length).toBeGreaterThan(5);
  expect(parts.length).toBeLessThan(30);
});

test('a part has at most 2,048 entries, whatever their names', () => {
  const begins = (name: string): boolean => /^00[0-7]/.test(digestOf(name).slice(7));
  const hostile = NAMES.filter((name) => !begins(name)).slice(0, 5000);
  const counts = encode(hostile).parts.map(({ bytes }) => decodeNode(bytes, 'part').names.length);
  expect(counts).toEqual([MAX_PART_ENTRIES, MAX_PART_ENTRIES, 5000 - 2 * MAX_PART_ENTRIES]);
});

test('the same directory has the same root, whatever came and went before', () => {
  const build = (order: readonly string[], gone: readonly string[]): string => {
    const names = new Set<string>();
    for (const name of gone) names.add(name);
    for (const name of order) names.add(name);
    for (const name of gone) if (!order.includes(name)) names.delete(name);
    return rootOf(encode(names));
  };
  const wanted = rootOf(encode(NAMES.slice(0, 2000)));
  fc.assert(
    fc.property(fc.shuffledSubarray(NAMES.slice(0, 2000), { minLength: 2000 }), fc.subarray(NAMES), (order, gone) => {
      expect(build(order, gone.slice(0, 300))).toBe(wanted);
    }),
    fuzzRuns(10, 0.01),
  );
});

test('a change of one entry touches one part, an entry more or less at most two', () => {
  const before = encode(NAMES);
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (name, text) => {
      expect(freshParts(before, encode(NAMES, name))).toBe(1);
      const more = encode([...NAMES, `extra ${text.replaceAll('/', '_')}`]);
      const fewer = encode(NAMES.filter((other) => other !== name));
      for (const after of [more, fewer]) {
        expect(freshParts(before, after)).toBeLessThanOrEqual(2);
        expect(freshParts(after, before)).toBeLessThanOrEqual(2);
      }
    }),
    fuzzRuns(15, 0.01),
  );
});

test('a directory that shrinks below the limit is one node again', () => {
  const small = encode(NAMES.slice(0, 1000));
  expect(decodeNode(small.top.bytes, 'top').shape).toBe(WHOLE);
});
