import { hash } from 'node:crypto';
import fc from 'fast-check';
import { damage, damaged, fuzzRuns, valueOrCode } from '../../../testing/fuzz.js';
import { storageKey } from '../port.js';
import { type CacheIndex, encodeIndex, parseIndex } from './cache-index.js';

const sound: CacheIndex = {
  generation: 7,
  id: Buffer.alloc(16, 3),
  rows: new Map([
    [storageKey('format'), { bytes: 5, usedIn: 1, place: { kind: 'inline', data: Buffer.from('12345') } }],
    [storageKey('shared/a'), { bytes: 9, usedIn: 7, place: { kind: 'data', name: 'ab'.repeat(16), offset: 4 } }],
    [storageKey('shared/b'), { bytes: 0, usedIn: 7, place: { kind: 'inline', data: Buffer.alloc(0) } }],
    [storageKey('shared/c'), { bytes: 9, usedIn: 2, place: { kind: 'data', name: 'cd'.repeat(16), offset: 0 } }],
  ]),
};

const HASH_BYTES = 32;

/** Bytes with a checksum that is right. */
function sealed(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.from(hash('sha256', body, 'hex'), 'hex')]);
}

test('whatever is changed in an index, it is refused, or says one thing only', () => {
  const body = encodeIndex(sound).subarray(0, -HASH_BYTES);
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
      const bytes = sealed(damages.reduce(damaged, body));
      const read = valueOrCode(() => parseIndex(bytes, 'here'));
      if ('code' in read) expect(read.code).toBe('ERR_FORMAT_VERSION');
      else if (read.value !== 'damaged') {
        accepted++;
        // What was read is what stands there, but for names that nothing uses and bytes that mean nothing.
        expect(parseIndex(encodeIndex(read.value), 'here')).toEqual(read.value);
      }
    }),
    fuzzRuns(1000),
  );
  // Numbers may have any value, so some of it has to be accepted: else the checksum was what was tested.
  expect(accepted).toBeGreaterThan(0);
});

test('without a right checksum nothing is accepted', () => {
  const bytes = encodeIndex(sound);
  fc.assert(
    fc.property(damage, (change) => {
      const changed = damaged(bytes, change);
      const read = valueOrCode(() => parseIndex(changed, 'here'));
      const isSame = changed.equals(bytes);
      expect('code' in read || read.value === 'damaged' || isSame).toBe(true);
    }),
    fuzzRuns(),
  );
});
