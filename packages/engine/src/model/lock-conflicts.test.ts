import fc from 'fast-check';
import { SluiceError } from '../errors.js';
import { fuzzRuns } from '../testing/fuzz.js';
import { digestOf } from './digest.js';
import { type MergedLock, parseLock, parseMergedLock, printLock } from './lock.js';
import type { LockConflict } from './lock-conflicts.js';
import { CONFLICT_CLASSES, type TreeEntry } from './merge/merge-entry.js';
import { parseRelPath } from './path.js';
import { EXECUTABLE, FILE, LINK, TREE } from './tree.js';

const file = (content: string, kind = FILE): TreeEntry => ({
  kind,
  digest: digestOf(content),
  size: content.length,
  files: kind === TREE ? 7 : 1,
});

const raw = parseRelPath('people/raw');
const outs = new Map([[raw, { kind: 'tree', digest: digestOf('merged'), exec: false, files: 3, bytes: 30 } as const]]);

const conflict = (path: string, rest: Omit<LockConflict, 'target' | 'out' | 'path'>): LockConflict => ({
  target: 'raw',
  out: raw,
  path: parseRelPath(path),
  ...rest,
});

const lock: MergedLock = {
  stages: new Map([
    ['raw', { fingerprint: undefined, parts: [], outs }],
    ['thumbs', { fingerprint: undefined, parts: [], outs: new Map(), merged: true }],
  ]),
  conflicts: [
    conflict('', {
      class: 'both-changed',
      missing: digestOf('tree'),
      base: file('b', TREE),
      ours: file('o', TREE),
      theirs: file('t', TREE),
    }),
    conflict('a.jpg', { class: 'both-added', base: undefined, ours: file('1', EXECUTABLE), theirs: file('22', LINK) }),
    conflict('d/b.jpg', { class: 'removed-changed', base: file('1'), ours: undefined, theirs: file('333') }),
  ],
};

test('one line per path, readable, and read again as it was', () => {
  const text = printLock(lock);
  expect(text.replace(/sha256:([0-9a-f]{4})[0-9a-f]{60}/g, '$1')).toMatchInlineSnapshot(`
"{
  "version": 2,
  "stages": {
    "raw": {
      "outs": {
        "people/raw": { "tree": "3f8f", "files": 3, "bytes": 30 }
      }
    },
    "thumbs": {
      "merged": true,
      "outs": {}
    }
  },
  "conflicts": {
    "raw": {
      "people/raw": {
        ".": { "class": "both-changed", "missing": "dc9c", "base": { "tree": "3e23", "files": 7, "bytes": 1 }, "ours": { "tree": "65c7", "files": 7, "bytes": 1 }, "theirs": { "tree": "e3b9", "files": 7, "bytes": 1 } },
        "a.jpg": { "class": "both-added", "ours": { "blob": "6b86", "bytes": 1, "exec": true }, "theirs": { "link": "785f", "bytes": 2 } },
        "d/b.jpg": { "class": "removed-changed", "base": { "blob": "6b86", "bytes": 1 }, "theirs": { "blob": "556d", "bytes": 3 } }
      }
    }
  }
}
"
`);
  expect(parseMergedLock(text, 'l')).toEqual(lock);
});

test('nobody else reads it', () => {
  expect(() => parseLock(printLock(lock), 'people/sluice-lock.json')).toThrow(
    'people/sluice-lock.json holds conflicts of a merge: raw: people/raw (both-changed), and 2 more',
  );
  const resolved = { ...lock, conflicts: [] };
  expect(parseLock(printLock(resolved), 'l')).toEqual({ stages: lock.stages });
  expect(printLock(resolved)).toContain('"version": 2');
  expect(printLock({ stages: new Map([...lock.stages].slice(0, 1)) })).toContain('"version": 1');
});

const codeOf = (text: string): string | undefined => {
  try {
    parseMergedLock(text, 'l');
    return undefined;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return error.code;
  }
};

test.each([
  ['conflicts in version 1', { version: 1, stages: {}, conflicts: {} }],
  ['a merged stage in version 1', { version: 1, stages: { a: { merged: true, outs: {} } } }],
  [
    'a merged stage with a fingerprint',
    { version: 2, stages: { a: { merged: true, outs: {}, fingerprint: digestOf('x'), parts: {} } } },
  ],
  ['merged: false', { version: 2, stages: { a: { merged: false, outs: {} } } }],
  ['a class that is not known', { version: 2, stages: {}, conflicts: { a: { o: { p: { class: 'odd' } } } } }],
  [
    'a path that leaves its out',
    { version: 2, stages: {}, conflicts: { a: { o: { '../p': { class: 'both-added' } } } } },
  ],
  [
    'an out that leaves the workspace',
    { version: 2, stages: {}, conflicts: { a: { '/o': { p: { class: 'both-added' } } } } },
  ],
  ['a side that is none', { version: 2, stages: {}, conflicts: { a: { o: { p: { class: 'both-added', ours: 1 } } } } }],
  [
    'a key that is not known',
    { version: 2, stages: {}, conflicts: { a: { o: { p: { class: 'both-added', more: 1 } } } } },
  ],
])('%s is refused', (_, value) => {
  expect(codeOf(JSON.stringify(value))).toBe('ERR_LOCK_INVALID');
});

test('any conflicts come back', () => {
  const entry = fc.record({
    kind: fc.constantFrom(FILE, EXECUTABLE, LINK, TREE),
    digest: fc.string().map(digestOf),
    size: fc.nat(),
    files: fc.nat(),
  });
  const side = fc.option(
    entry.map((one) => ({ ...one, files: one.kind === TREE ? one.files : 1 })),
    { nil: undefined },
  );
  const one = fc.record({
    target: fc.constantFrom('raw', 'a b', 'é'),
    out: fc.constantFrom(raw, parseRelPath('p/o')),
    path: fc.constantFrom('', 'a', 'b/c', '__x', '.a', '\u{1f600}').map(parseRelPath),
    class: fc.constantFrom(...CONFLICT_CLASSES),
    base: side,
    ours: side,
    theirs: side,
  });
  const list = fc.uniqueArray(one, { selector: ({ target, out, path }) => `${target}\n${out}\n${path}` });
  fc.assert(
    fc.property(list, (conflicts) => {
      const text = printLock({ stages: new Map(), conflicts });
      const parsed = parseMergedLock(text, 'l');
      expect(parsed.conflicts).toHaveLength(conflicts.length);
      expect(parsed.conflicts).toEqual(expect.arrayContaining(conflicts));
      expect(printLock(parsed)).toBe(text);
    }),
    fuzzRuns(200, 0.2),
  );
});
