import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { damage, damaged, fuzzRuns } from '../testing/fuzz.js';
import { rawDigestOf } from './digest.js';
import { applyPatch, makePatch, type NodeBytes } from './patch.js';
import { sortUtf8 } from './path.js';
import { encodeDirectory } from './split.js';
import { decodeNode, encodeNode, FILE, PART, TREE, WHOLE } from './tree.js';

type Listing = Readonly<
  Record<string, { readonly size: number; readonly fill: number; readonly below?: number | undefined }>
>;

function columns(listing: Listing): Parameters<typeof encodeNode>[1] {
  const names = sortUtf8(Object.keys(listing));
  const all = names.map((name) => listing[name]);
  return {
    names,
    kinds: Uint8Array.from(all, (entry) => (entry?.below === undefined ? FILE : TREE)),
    sizes: Float64Array.from(all, (entry) => entry?.size ?? 0),
    files: Float64Array.from(all, (entry) => entry?.below ?? 1),
    digests: Buffer.concat(all.map((entry) => Buffer.alloc(32, entry?.fill ?? 0))),
  };
}

function nodeOf(listing: Listing, shape: typeof WHOLE | typeof PART = PART): NodeBytes {
  const bytes = encodeNode(shape, columns(listing));
  return { bytes, node: decodeNode(bytes, 'test') };
}

const listings = fc.dictionary(
  fc.stringMatching(/^[a-zä]{1,4}$/),
  fc.record(
    { size: fc.nat(70_000), fill: fc.nat(3), below: fc.option(fc.nat(300), { nil: undefined }) },
    { requiredKeys: ['size', 'fill'] },
  ),
  { maxKeys: 40 },
);

const files = (count: number): Listing =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, { size: 275, fill: i % 251 }]));

test('a node comes back from any other one and what is new in it', () => {
  fc.assert(
    fc.property(listings, listings, fc.boolean(), (before, after, mixed) => {
      const [base, changed] = [nodeOf(before, mixed ? WHOLE : PART), nodeOf({ ...before, ...after })];
      for (const [from, to] of [[base, changed] as const, [changed, base] as const]) {
        const raw = rawDigestOf(from.bytes);
        expect(applyPatch(makePatch(raw, from, to), raw, from.bytes, to.bytes.length)?.equals(to.bytes)).toBe(true);
      }
    }),
    fuzzRuns(),
  );
});

test('one changed file of the largest part costs its entry and little more', () => {
  const before = files(2048);
  const [base, changed] = [nodeOf(before), nodeOf({ ...before, f1000: { size: 999, fill: 252 } })];
  expect(makePatch(rawDigestOf(base.bytes), base, changed).length).toBeLessThan(128);
});

test('a split directory is a node like any other', () => {
  const [one, two] = [encodeDirectory(columns(files(5000))), encodeDirectory(columns(files(5001)))].map(({ top }) => ({
    bytes: top.bytes,
    node: decodeNode(top.bytes, 'test'),
    raw: top.raw,
  }));
  if (one === undefined || two === undefined) throw new Error('two were made');
  const patch = makePatch(one.raw, one, two);
  expect(patch.length).toBeLessThan(200);
  expect(applyPatch(patch, one.raw, one.bytes, two.bytes.length)?.equals(two.bytes)).toBe(true);
});

test('what is damaged gives nothing, or bytes of the length that was told', () => {
  const before = files(100);
  const [base, changed] = [nodeOf(before), nodeOf({ ...before, f50: { size: 9, fill: 9 }, g: { size: 1, fill: 1 } })];
  const raw = rawDigestOf(base.bytes);
  const patch = makePatch(raw, base, changed);
  const full = changed.bytes.length;
  fc.assert(
    fc.property(damage, (what) => {
      const bytes = applyPatch(damaged(patch, what), raw, base.bytes, full);
      if (bytes !== undefined) expect(bytes.length).toBe(full);
    }),
    fuzzRuns(),
  );
  expect(applyPatch(patch, randomBytes(32), base.bytes, full)).toBeUndefined();
  expect(applyPatch(patch, raw, base.bytes.subarray(0, 20), full)).toBeUndefined();
  expect(applyPatch(patch, raw, base.bytes, full - 1)).toBeUndefined();
  expect(applyPatch(patch, raw, base.bytes, 2 ** 31)).toBeUndefined();
});
