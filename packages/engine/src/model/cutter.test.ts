import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { fuzzRuns } from '../testing/fuzz.js';
import { type CutBlob, type Cuts, Cutter, chunkRaw, EVEN_BYTES, LONGEST_BYTES, SHORTEST_BYTES } from './cutter.js';
import { rawDigestOf } from './digest.js';

const MIB = 1024 * 1024;

/** The same bytes for the same seed, everywhere. */
function bytesOf(seed: number, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

function cutsOf(bytes: Buffer, cuts: Cuts = 'content', readBytes = bytes.length): CutBlob {
  const cutter = new Cutter(cuts);
  for (let at = 0; at < bytes.length; at += readBytes) cutter.update(bytes.subarray(at, at + readBytes));
  return cutter.finish();
}

/** Cuts by the words of docs/format.md, a byte at a time. */
function byTheBook(bytes: Buffer): number[] {
  const table = Array.from({ length: 256 }, (_, i) =>
    createHash('sha256').update(`sluice gear ${i}`).digest().readUInt32LE(0),
  );
  const lengths: number[] = [];
  let hash = 0;
  let length = 0;
  for (const byte of bytes) {
    length++;
    if (length > 65_536) hash = (hash * 2 + (table[byte] ?? 0)) % 2 ** 32;
    const mask = length < 262_144 ? 0xfffff000 : 0xffff0000;
    const isCut = length > 65_536 && (hash & mask) === 0;
    if (!isCut && length < 524_288) continue;
    lengths.push(length);
    hash = 0;
    length = 0;
  }
  return length > 0 ? [...lengths, length] : lengths;
}

test('cuts where docs/format.md says', () => {
  const bytes = bytesOf(1, 3 * MIB);
  expect([...cutsOf(bytes).lengths]).toEqual(byTheBook(bytes));
  expect(rawDigestOf(Buffer.from([...cutsOf(bytes).lengths].join())).toString('hex')).toMatchInlineSnapshot(
    `"3531d188cb80ef55fcb028239fd245381979301b147c354403a403616d8197a8"`,
  );
});

test.each<Cuts>(['even', 'content'])('%s cuts: the chunks are the blob, with their digests', (cuts) => {
  for (const length of [0, 1, SHORTEST_BYTES, EVEN_BYTES, EVEN_BYTES + 1, 5 * MIB + 7]) {
    const bytes = randomBytes(length);
    const cut = cutsOf(bytes, cuts, 100_000);
    let at = 0;
    for (const [i, chunk] of cut.lengths.entries()) {
      expect(chunkRaw(cut, i).equals(rawDigestOf(bytes.subarray(at, at + chunk)))).toBe(true);
      at += chunk;
    }
    expect(at).toBe(length);
  }
});

test('chunks have the shortest length at least, the longest at most, and about 300 KiB', () => {
  for (const bytes of [randomBytes(24 * MIB), Buffer.alloc(8 * MIB), Buffer.alloc(8 * MIB, 'abcdefgh\n')]) {
    const lengths = [...cutsOf(bytes).lengths];
    expect(Math.max(...lengths)).toBeLessThanOrEqual(LONGEST_BYTES);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThan(SHORTEST_BYTES);
  }
  const random = cutsOf(randomBytes(24 * MIB)).lengths;
  expect((24 * MIB) / random.length).toBeGreaterThan(220 * 1024);
  expect((24 * MIB) / random.length).toBeLessThan(380 * 1024);
});

test('how the bytes come makes no difference', () => {
  const bytes = bytesOf(2, 2 * MIB + 12_345);
  const whole = cutsOf(bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 40 }), (reads) => {
      const cutter = new Cutter('content');
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const read = reads[i % reads.length] ?? 1;
        cutter.update(bytes.subarray(at, at + read));
        at += read;
      }
      expect(cutter.finish()).toEqual(whole);
    }),
    fuzzRuns(30, 0.02),
  );
  expect(cutsOf(bytes, 'content', 1)).toEqual(whole);
});

test('far from an edit the chunks are the same', () => {
  const bytes = bytesOf(3, 4 * MIB);
  const before = cutsOf(bytes);
  const known = new Set([...before.lengths].map((_, i) => chunkRaw(before, i).toString('hex')));
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: bytes.length }),
      fc.integer({ min: 0, max: 5000 }),
      fc.uint8Array({ maxLength: 50 }),
      (at, removed, inserted) => {
        const edited = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
        const after = cutsOf(edited);
        const fresh = [...after.lengths].filter((_, i) => !known.has(chunkRaw(after, i).toString('hex')));
        expect(fresh.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(4 * LONGEST_BYTES);
      },
    ),
    fuzzRuns(20, 0.02),
  );
});
