import fc from 'fast-check';
import { ByteReader, varintLength, writeVarint } from './bytes.js';

function reader(...bytes: number[]): ByteReader {
  return new ByteReader(Buffer.from(bytes), (problem) => {
    throw new Error(problem);
  });
}

test('reads integers to the last byte and not beyond it', () => {
  const numbers = reader(1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0);
  expect([numbers.u8(), numbers.u16(), numbers.u32(), numbers.u64()]).toEqual([1, 2, 3, 4]);
  expect(numbers.left).toBe(0);
  for (const read of [() => numbers.u8(), () => numbers.u16(), () => numbers.f64(), () => numbers.varint()]) {
    expect(read).toThrow('cut off');
  }
  expect(() => reader(1, 2, 3).take(4)).toThrow('cut off');
  expect(numbers.take(0)).toHaveLength(0);
});

test('refuses a u64 that a double cannot hold', () => {
  expect(reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0).u64()).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => reader(0, 0, 0, 0, 0, 0, 0x20, 0).u64()).toThrow('too large');
});

test('varints come back, in their shortest form only', () => {
  const sizes = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(0, 127, 128, 16383, 16384, 2 ** 53 - 1));
  fc.assert(
    fc.property(sizes, (value) => {
      const bytes = Buffer.alloc(varintLength(value) + 1, 0xaa);
      expect(writeVarint(bytes, value, 0)).toBe(bytes.length - 1);
      expect(bytes[bytes.length - 1]).toBe(0xaa);
      const read = reader(...bytes);
      expect(read.varint()).toBe(value);
      expect(read.left).toBe(1);
    }),
  );
  expect(() => reader(0x80, 0).varint()).toThrow('shortest');
  expect(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f).varint()).toThrow('too large');
  expect(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1).varint()).toThrow('too large');
});
