/** Reads and writes the integers of `docs/format.md`. Every read is checked against the end of the bytes. */

/** A cursor over hostile bytes; `fail` turns a broken rule into the caller's error. */
export class ByteReader {
  offset = 0;
  readonly bytes: Buffer;
  readonly fail: (problem: string) => never;

  constructor(bytes: Buffer, fail: (problem: string) => never) {
    this.bytes = bytes;
    this.fail = fail;
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  u8(): number {
    return this.bytes.readUInt8(this.pass(1));
  }

  u16(): number {
    return this.bytes.readUInt16LE(this.pass(2));
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.pass(4));
  }

  /** A u64 that fits into a double; a larger one is refused. */
  u64(): number {
    const value = this.bytes.readBigUInt64LE(this.pass(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail('a number is too large');
    return Number(value);
  }

  f64(): number {
    return this.bytes.readDoubleLE(this.pass(8));
  }

  /** LEB128 in its shortest form, at most 2^53 - 1. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) this.fail('a number is not in its shortest form');
        if (!Number.isSafeInteger(value)) this.fail('a number is too large');
        return value;
      }
      scale *= 128;
    }
    return this.fail('a number is too large');
  }

  /** Passes over the next `length` bytes and returns where they begin. */
  pass(length: number): number {
    const from = this.offset;
    if (length > this.bytes.length - from) this.fail('it is cut off');
    this.offset = from + length;
    return from;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Buffer {
    const from = this.pass(length);
    return this.bytes.subarray(from, from + length);
  }
}

/** Bytes that {@link writeVarint} will take. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes a varint and returns the offset behind it. */
export function writeVarint(bytes: Buffer, value: number, offset: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 128) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
