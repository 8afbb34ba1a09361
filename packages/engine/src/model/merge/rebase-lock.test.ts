import { digestOf } from '../digest.js';
import type { Lock, LockedStage } from '../lock.js';
import { printLock } from '../lock.js';
import { parseRelPath } from '../path.js';
import { rebaseLock } from './rebase-lock.js';

const entry = (version: string): LockedStage => {
  const root = { kind: 'blob', digest: digestOf(version), exec: false, files: 1, bytes: 1 } as const;
  return { fingerprint: undefined, parts: [], outs: new Map([[parseRelPath('p/out'), root]]) };
};
const lock = (entries: Record<string, string>): Lock => ({
  stages: new Map(Object.entries(entries).map(([target, version]) => [target, entry(version)])),
});

test.each([
  ['what only we changed is ours', { a: '1' }, { a: '2' }, { a: '1' }, { a: '2' }, []],
  [
    'what only they changed is theirs',
    { a: '1', b: '1' },
    { a: '1', b: '2' },
    { a: '3', b: '1' },
    { a: '3', b: '2' },
    [],
  ],
  ['what both made the same is that', { a: '1' }, { a: '2' }, { a: '2' }, { a: '2' }, []],
  ['what both changed stays as it is there', { a: '1' }, { a: '2', b: '1' }, { a: '3' }, { a: '3', b: '1' }, ['a']],
  ['what both added differently stays as it is there', {}, { a: '1' }, { a: '2' }, { a: '2' }, ['a']],
  ['what we removed is gone', { a: '1', b: '1' }, { b: '1' }, { a: '1', b: '1' }, { b: '1' }, []],
  ['what they removed and we changed is gone', { a: '1' }, { a: '2' }, {}, {}, ['a']],
  ['what we removed and they changed stays', { a: '1' }, {}, { a: '2' }, { a: '2' }, ['a']],
])('%s', (_, base, mine, onto, wanted, left) => {
  const rebased = rebaseLock(lock(base), lock(mine), lock(onto));
  expect(printLock(rebased.lock)).toBe(printLock(lock(wanted)));
  expect(rebased.left).toEqual(left);
});
