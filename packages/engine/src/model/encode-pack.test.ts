import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { fuzzRuns } from '../testing/fuzz.js';
import { openDecode } from './decompress.js';
import { rawDigestOf } from './digest.js';
import { encodePack } from './encode-pack.js';
import {
  BLOB,
  BLOBS,
  CODEC_BROTLI,
  CODEC_NONE,
  CODEC_ZSTD,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  packHeader,
  packTailBytes,
  parsePackHeader,
  parsePackTail,
  writeObjectHeader,
} from './pack.js';

/** Chunks of a pack with these objects, so many in each chunk. */
function chunksOf(objects: readonly Buffer[], each: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let first = 0; first < objects.length; first += each) {
    const parts = objects.slice(first, first + each).flatMap((bytes) => {
      const header = Buffer.alloc(OBJECT_HEADER_BYTES);
      writeObjectHeader(header, 0, { stored: bytes.length, full: bytes.length, codec: CODEC_NONE, kind: BLOB });
      rawDigestOf(bytes).copy(header, OBJECT_DIGEST_OFFSET);
      return [header, bytes];
    });
    chunks.push(Buffer.concat(first === 0 ? [packHeader(BLOBS), ...parts] : parts));
  }
  return chunks;
}

const text = fc
  .tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 300 }))
  .map(([line, count]) => Buffer.from(line.repeat(count)));
const random = fc.integer({ min: 0, max: 5000 }).map((length) => randomBytes(length));
const contents = fc.uniqueArray(fc.oneof(text, random), {
  selector: (bytes) => bytes.toString('latin1'),
  minLength: 1,
  maxLength: 20,
});

test('every object is where it is said to be, with its bytes', async () => {
  const decode = await openDecode([CODEC_ZSTD, CODEC_BROTLI]);
  fc.assert(
    fc.property(contents, fc.integer({ min: 1, max: 8 }), (objects, each) => {
      const chunks = chunksOf(objects, each);
      const before = Buffer.concat(chunks);
      const { chunks: after, encoding } = encodePack({ chunks, count: objects.length });
      if (encoding === undefined) {
        expect(Buffer.concat(after).equals(before)).toBe(true);
        return;
      }
      const pack = Buffer.concat([...after, encoding.tail]);
      expect(pack.length).toBeLessThan(before.length + encoding.tail.length);
      parsePackHeader(pack.subarray(0, PACK_HEADER_BYTES), 'test');
      const tail = pack.subarray(pack.length - packTailBytes(pack.subarray(-44), pack.length, 'test'));
      const index = parsePackTail(tail, pack.length, 'test');
      expect(index.count).toBe(objects.length);
      for (const [i, object] of objects.entries()) {
        const entry = index.entry(index.find(rawDigestOf(object)));
        const { offset, stored, codec } = entry;
        expect([encoding.offsets[i], encoding.stored[i], encoding.codecs[i]]).toEqual([offset, stored, codec]);
        expect(entry).toMatchObject({ full: object.length, kind: BLOB });
        const from = offset + OBJECT_HEADER_BYTES;
        const bytes = decode(codec, pack.subarray(from, from + stored), object.length);
        expect(bytes?.equals(object)).toBe(true);
        expect(pack.subarray(offset + OBJECT_DIGEST_OFFSET, from).equals(rawDigestOf(object))).toBe(true);
      }
    }),
    fuzzRuns(200, 0.2),
  );
});

test('what does not get smaller stays as it came, in the same memory', () => {
  const chunks = chunksOf([randomBytes(5000), randomBytes(3000), Buffer.from('short')], 2);
  expect(encodePack({ chunks, count: 3 }).chunks).toBe(chunks);
});
