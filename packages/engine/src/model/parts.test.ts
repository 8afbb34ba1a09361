import fc from 'fast-check';
import { digestOf } from './digest.js';
import { diffParts, fingerprintOf, type Part, partKey } from './parts.js';

const command: Part = { kind: 'command', name: '', value: 'node a.mjs' };
const dep: Part = { kind: 'dep', name: 'data/raw', value: 'tree sha256:00' };
const env: Part = { kind: 'env', name: 'SEED', value: 'unset' };

test('has the form of docs/fingerprint.md', () => {
  const text =
    'sluice-fingerprint-1\n["command","node a.mjs"]\n["dep:data/raw","tree sha256:00"]\n["env:SEED","unset"]\n';
  expect(fingerprintOf([env, command, dep])).toBe(digestOf(text));
  expect(fingerprintOf([command, dep, env])).toBe(
    'sha256:6eec16703ab322977164ab56feb0a8599dbf07b533a63992eeb620b91683a9a0',
  );
});

test('where a digest was found does not count', () => {
  expect(fingerprintOf([{ ...dep, via: digestOf('root') }])).toBe(fingerprintOf([dep]));
});

const part: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom('command', 'dep', 'env', 'param'),
  name: fc.constantFrom('', 'a', 'a:b', 'b'),
  value: fc.constantFrom('', '1', '2', '"]\n["env:b","1'),
});
const parts = fc.uniqueArray(part, { selector: partKey, maxLength: 6 });

test('two fingerprints are equal exactly if no part differs', () => {
  fc.assert(
    fc.property(parts, parts, (before, after) => {
      const changes = diffParts(before, after);
      expect(fingerprintOf(before) === fingerprintOf(after)).toBe(changes.length === 0);
      expect(changes.map(partKey)).toEqual([...new Set(changes.map(partKey))].sort());
      // Undone, the changes lead back.
      const back = new Map(after.map((one) => [partKey(one), one.value]));
      for (const change of changes) {
        if (change.before === null) back.delete(partKey(change));
        else back.set(partKey(change), change.before);
      }
      expect(back).toEqual(new Map(before.map((one) => [partKey(one), one.value])));
    }),
    { numRuns: 500 },
  );
});
