import fc from 'fast-check';
import { SluiceError } from '../errors.js';

/** Cases of a property: few in the usual run, `SLUICE_FUZZ_RUNS` in the long one (`npm run test:fuzz`). `share` makes slow ones fewer. */
export function fuzzRuns(usual = 300, share = 1): { numRuns: number } {
  const asked = Number(process.env.SLUICE_FUZZ_RUNS ?? '');
  return { numRuns: asked > 0 ? Math.max(1, Math.round(asked * share)) : usual };
}

/** What happens to bytes on a bad disk or in bad hands. */
export type Damage =
  | { readonly do: 'flip'; readonly at: number; readonly bit: number }
  | { readonly do: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly do: 'cut'; readonly at: number }
  | { readonly do: 'extend'; readonly bytes: Uint8Array }
  | { readonly do: 'remove'; readonly at: number; readonly length: number }
  | { readonly do: 'insert'; readonly at: number; readonly bytes: Uint8Array };

/** Positions are shares of the length, so that they fit any bytes; small numbers are met more often. */
const at = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.integer({ min: 0, max: 200 }));
const few = fc.uint8Array({ minLength: 1, maxLength: 12 });

/** Any damage. */
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ do: fc.constant('flip'), at, bit: fc.nat(7) }),
  fc.record({ do: fc.constant('set'), at, bytes: fc.oneof(few, fc.constant(new Uint8Array(8).fill(0xff))) }),
  fc.record({ do: fc.constant('cut'), at }),
  fc.record({ do: fc.constant('extend'), bytes: few }),
  fc.record({ do: fc.constant('remove'), at, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ do: fc.constant('insert'), at, bytes: few }),
);

/** The bytes after the damage; a copy. */
export function damaged(bytes: Buffer, what: Damage): Buffer {
  if (what.do === 'extend') return Buffer.concat([bytes, what.bytes]);
  const from = what.at < 1 ? Math.floor(what.at * bytes.length) : Math.max(0, Math.min(what.at, bytes.length - 1));
  const copy = Buffer.from(bytes);
  switch (what.do) {
    case 'flip':
      copy[from] = (copy[from] ?? 0) ^ (1 << what.bit);
      return copy;
    case 'set':
      Buffer.from(what.bytes).copy(copy, from);
      return copy;
    case 'cut':
      return copy.subarray(0, from);
    case 'remove':
      return Buffer.concat([copy.subarray(0, from), copy.subarray(from + what.length)]);
    case 'insert':
      return Buffer.concat([copy.subarray(0, from), what.bytes, copy.subarray(from)]);
  }
}

/** What `read` gives, or its code if it throws a `SluiceError`; anything else that it throws is a crash and fails the test. */
export function valueOrCode<T>(read: () => T): { readonly value: T } | { readonly code: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { code: error.code };
  }
}
