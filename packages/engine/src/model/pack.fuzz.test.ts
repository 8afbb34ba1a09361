import fc from 'fast-check';
import { damage, damaged, fuzzRuns, valueOrCode } from '../testing/fuzz.js';
import { rawDigestOf } from './digest.js';
import {
  BLOB,
  BLOBS,
  CODEC_NONE,
  INDEX_ENTRY_BYTES,
  OBJECT_DIGEST_OFFSET,
  OBJECT_HEADER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  type PackIndex,
  PackIndexBuilder,
  packHeader,
  packTailBytes,
  parsePackHeader,
  parsePackTail,
  TREES,
  writeObjectHeader,
} from './pack.js';

const CODES = ['ERR_PACK_INVALID', 'ERR_FORMAT_VERSION'];

/** A pack of the given contents, which differ. */
function packOf(contents: readonly Buffer[]): Buffer {
  const index = new PackIndexBuilder();
  const pieces: Buffer[] = [packHeader(BLOBS)];
  let offset = PACK_HEADER_BYTES;
  for (const bytes of contents) {
    const raw = rawDigestOf(bytes);
    const header = Buffer.alloc(OBJECT_HEADER_BYTES);
    const entry = { offset, stored: bytes.length, full: bytes.length, codec: CODEC_NONE, kind: BLOB };
    writeObjectHeader(header, 0, entry);
    raw.copy(header, OBJECT_DIGEST_OFFSET);
    index.add(raw, 0, entry);
    pieces.push(header, bytes);
    offset += header.length + bytes.length;
  }
  return Buffer.concat([...pieces, index.finish()]);
}

/** Reads the index the way a reader of files does. */
function indexOf(pack: Buffer): PackIndex {
  parsePackHeader(pack.subarray(0, PACK_HEADER_BYTES), 'test');
  const tailBytes = packTailBytes(pack.subarray(-PACK_TRAILER_BYTES), pack.length, 'test');
  return parsePackTail(pack.subarray(pack.length - tailBytes), pack.length, 'test');
}

const contents = fc
  .uniqueArray(fc.uint8Array({ maxLength: 30 }), {
    selector: (bytes) => Buffer.from(bytes).toString('hex'),
    maxLength: 20,
  })
  .map((list) => list.map((bytes) => Buffer.from(bytes)));

test('has the bytes of docs/format.md', () => {
  const content = Buffer.from('1\n');
  const raw = rawDigestOf(content);
  const rows = Buffer.concat([raw, Buffer.from([8, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0])]);
  const wanted = Buffer.concat([
    Buffer.from('SLPK'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from([2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
    raw,
    content,
    rows,
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]),
    rawDigestOf(rows),
    Buffer.from('SLPE'),
  ]);
  expect(packOf([content]).toString('hex')).toBe(wanted.toString('hex'));
});

test('every object is found, and no other', () => {
  fc.assert(
    fc.property(contents, (list) => {
      const pack = packOf(list);
      const index = indexOf(pack);
      expect(index.count).toBe(list.length);
      for (const bytes of list) {
        const row = index.find(rawDigestOf(bytes));
        const { offset, stored } = index.entry(row);
        const start = offset + OBJECT_HEADER_BYTES;
        expect(pack.subarray(start, start + stored).equals(bytes)).toBe(true);
        expect(index.raw(row).equals(rawDigestOf(bytes))).toBe(true);
      }
      expect(index.find(rawDigestOf(Buffer.alloc(40)))).toBe(-1);
    }),
    fuzzRuns(100),
  );
});

test('an index of many objects is sorted', () => {
  const many = packOf(Array.from({ length: 700 }, (_, i) => Buffer.from(String(i))));
  expect(indexOf(many).count).toBe(700);
});

test('damage to index or trailer never goes unseen', () => {
  fc.assert(
    fc.property(contents, fc.array(damage, { minLength: 1, maxLength: 3 }), (list, damages) => {
      const pack = packOf(list);
      const tail = pack.subarray(pack.length - list.length * INDEX_ENTRY_BYTES - PACK_TRAILER_BYTES);
      const hurt = damages.reduce(damaged, tail);
      const read = valueOrCode(() => indexOf(Buffer.concat([pack.subarray(0, pack.length - tail.length), hurt])));
      if ('code' in read) {
        expect(CODES).toContain(read.code);
        return;
      }
      // Bytes in front of the index belong to the objects, and two changes can undo each other.
      expect(hurt.subarray(hurt.length - tail.length).equals(tail)).toBe(true);
    }),
    fuzzRuns(1000),
  );
});

test('damage to a header is an error, or says that trees lie there', () => {
  fc.assert(
    fc.property(damage, (what) => {
      const header = damaged(packHeader(BLOBS), what);
      const read = valueOrCode(() => parsePackHeader(header, 'test'));
      if ('code' in read) expect(CODES).toContain(read.code);
      else expect([BLOBS, TREES]).toContain(read.value);
    }),
    fuzzRuns(),
  );
});

test('whatever an index with a right checksum says, its objects lie inside the pack', () => {
  const rows = fc.array(
    fc.record({
      offset: fc.nat(2 ** 32 - 1),
      stored: fc.nat(2 ** 32 - 1),
      full: fc.nat(2 ** 32 - 1),
      codec: fc.nat(2),
      kind: fc.nat(4),
    }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(rows, fc.nat(300), (list, bytesBefore) => {
      const builder = new PackIndexBuilder();
      list.forEach((entry, i) => {
        builder.add(rawDigestOf(Buffer.from([i])), 0, {
          ...entry,
          offset: entry.offset % 400,
          stored: entry.stored % 400,
        });
      });
      const pack = Buffer.concat([packHeader(BLOBS), Buffer.alloc(bytesBefore), builder.finish()]);
      const read = valueOrCode(() => indexOf(pack));
      if ('code' in read) return;
      for (let row = 0; row < read.value.count; row++) {
        const { offset, stored } = read.value.entry(row);
        expect(offset).toBeGreaterThanOrEqual(PACK_HEADER_BYTES);
        expect(offset + OBJECT_HEADER_BYTES + stored).toBeLessThanOrEqual(PACK_HEADER_BYTES + bytesBefore);
      }
    }),
    fuzzRuns(),
  );
});

test('a trailer that claims four billion objects is refused before anything is read', () => {
  const trailer = Buffer.alloc(PACK_TRAILER_BYTES, 0xff);
  Buffer.from('SLPE').copy(trailer, 40);
  expect(() => packTailBytes(trailer, 1000, 'test')).toThrow(expect.objectContaining({ code: 'ERR_PACK_INVALID' }));
  expect(() => packTailBytes(trailer, 2 ** 40, 'test')).toThrow(expect.objectContaining({ code: 'ERR_PACK_INVALID' }));
});
