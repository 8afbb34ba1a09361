import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Cutter } from '../model/cutter.js';
import { rawDigestOf } from '../model/digest.js';
import { damage, damaged, fuzzRuns } from '../testing/fuzz.js';
import { cutsOf, cutsRecord } from './have-cuts.js';

const bytes = randomBytes(1_700_000);
const cutter = new Cutter('content');
cutter.update(bytes);
const cut = cutter.finish();

test('what was noted is read', () => {
  const { payload } = cutsRecord(rawDigestOf(bytes), bytes.length, cut);
  const read = cutsOf(payload);
  expect(read?.raw.equals(rawDigestOf(bytes))).toBe(true);
  expect(read).toMatchObject({ size: bytes.length, cut });
});

test('what is damaged is no note, or one whose lengths add up', () => {
  const { payload } = cutsRecord(rawDigestOf(bytes), bytes.length, cut);
  fc.assert(
    fc.property(
      fc.oneof(
        damage.map((what) => damaged(payload, what)),
        fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
      ),
      (hurt) => {
        const read = cutsOf(hurt);
        if (read !== undefined) expect([...read.cut.lengths].reduce((sum, length) => sum + length, 0)).toBe(read.size);
      },
    ),
    fuzzRuns(),
  );
});
