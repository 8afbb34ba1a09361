import { copyRaw, equalRaw, RAW_DIGEST_BYTES } from './digest.js';

/**
 * A map from digests to numbers, without an object per entry: open addressing over one buffer of raw digests.
 * A million entries take about 40 MB, a third of a `Map` of strings.
 */
export class DigestTable {
  private keys: Buffer;
  private values: Float64Array;
  private taken: Uint8Array;
  private used = 0;

  /** `expected` entries fit without growing. */
  constructor(expected = 64) {
    let slots = 128;
    while (slots * 0.7 < expected) slots *= 2;
    this.keys = Buffer.allocUnsafe(slots * RAW_DIGEST_BYTES);
    this.values = new Float64Array(slots);
    this.taken = new Uint8Array(slots);
  }

  get size(): number {
    return this.used;
  }

  has(raw: Buffer, rawAt = 0): boolean {
    return this.taken[this.slot(raw, rawAt)] === 1;
  }

  get(raw: Buffer, rawAt = 0): number | undefined {
    const slot = this.slot(raw, rawAt);
    return this.taken[slot] === 1 ? this.values[slot] : undefined;
  }

  /** Returns whether the digest was new. */
  set(raw: Buffer, rawAt = 0, value = 0): boolean {
    if (this.used >= this.taken.length * 0.7) this.grow();
    const slot = this.slot(raw, rawAt);
    this.values[slot] = value;
    if (this.taken[slot] === 1) return false;
    copyRaw(raw, rawAt, this.keys, slot * RAW_DIGEST_BYTES);
    this.taken[slot] = 1;
    this.used++;
    return true;
  }

  /** Every digest (a view of 32 bytes, valid until the next `set`) with its number, in no order. */
  *entries(): Generator<[Buffer, number]> {
    for (let slot = 0; slot < this.taken.length; slot++) {
      if (this.taken[slot] !== 1) continue;
      yield [this.keys.subarray(slot * RAW_DIGEST_BYTES, (slot + 1) * RAW_DIGEST_BYTES), this.values[slot] ?? 0];
    }
  }

  private slot(raw: Buffer, rawAt: number): number {
    const mask = this.taken.length - 1;
    let slot = headOf(raw, rawAt + 4) & mask;
    while (this.taken[slot] === 1) {
      if (equalRaw(this.keys, slot * RAW_DIGEST_BYTES, raw, rawAt)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(): void {
    const bigger = new DigestTable(this.taken.length * 1.4);
    for (const [raw, value] of this.entries()) bigger.set(raw, 0, value);
    this.keys = bigger.keys;
    this.values = bigger.values;
    this.taken = bigger.taken;
  }
}

/** Four bytes as a number; any four of a digest are as good as a hash. */
function headOf(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
