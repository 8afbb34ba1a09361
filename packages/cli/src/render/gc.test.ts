import { GC, GC_EXPLANATION, GC_REMOTE } from '../testing/samples/index.js';
import { gcExplanationText, gcRemoteText, gcText } from './gc.js';

test('a collection says what went and what kept the rest', () => {
  expect(gcText(GC, {})).toBe('removed 3 of 6 objects (1.2 MiB); 3 kept by workspace');
  expect(gcText({ ...GC, dryRun: true }, { allBranches: true, recordsMs: 14 * 86_400_000 })).toBe(
    'would remove 3 of 6 objects (1.2 MiB); 3 kept by workspace, branches and results of the last 14 days',
  );
  expect(gcText(GC, { allTags: true, allCommits: true, revs: ['v1', 'v2'], since: 'May', num: 3 })).toContain(
    'kept by workspace, tags, commits, v1, v2, commits since May and the last 3 commits',
  );
});

test('what is kept because no remote has it is told apart', () => {
  const unpushed = { ...GC, removed: { blobs: 0, trees: 0, bytes: 0 }, keptUnpushed: GC.removed };
  const [first, second] = gcText(unpushed, {}).split('\n');
  expect(first).toBe('removed 0 of 6 objects (0 B); 3 kept by workspace');
  expect(second).toMatch(/^kept 3 unpushed \(1.2 MiB\): sluice push --all-commits .* --allow-unpushed/);
});

test('an explanation names everyone who keeps the object', () => {
  expect(gcExplanationText(GC_EXPLANATION)).toBe(
    'sha256:1a1a1a1a1a1a… is kept by\n  1.jpg of people/raw in people/sluice-lock.json',
  );
  expect(gcExplanationText({ ...GC_EXPLANATION, keptBy: [] })).toBe('nothing keeps sha256:1a1a1a1a1a1a…: gc drops it');
});

test('the collection of a remote says what goes next, and when', () => {
  expect(gcRemoteText(GC_REMOTE)).toBe(
    [
      'removed 3 objects (1.2 MiB) from s3cache; 3 kept (1.3 MiB)',
      'that freed 1.2 MiB there',
      'condemned 5 objects (2.0 MiB): a collection in 1 day or later deletes what nobody needs by then',
      'copied 512.0 KiB out of 2 packs of which most was dead',
      'removed 1 unfinished upload (16.0 MiB)',
      '1 root kept that no commit here names: --foreign 90d gives up those that are older',
    ].join('\n'),
  );
  const nothing = { blobs: 0, trees: 0, bytes: 0 };
  const quiet = {
    ...GC_REMOTE,
    removed: nothing,
    condemned: nothing,
    dueMs: null,
    foreignRoots: 0,
    freed: { objects: 0, bytes: 0 },
    repacked: { packs: 0, bytes: 0 },
    unfinished: [],
    dryRun: true,
  };
  expect(gcRemoteText(quiet)).toBe('would remove 0 objects (0 B) from s3cache; 3 kept (1.3 MiB)');
  expect(gcRemoteText({ ...quiet, unfinished: GC_REMOTE.unfinished })).toBe(
    [
      'would remove 0 objects (0 B) from s3cache; 3 kept (1.3 MiB)',
      'would remove 1 unfinished upload (16.0 MiB)',
      `  shared/blobs/1a/${'0'.repeat(62)} (16.0 MiB, nothing since 2026-01-02T03:04:05.000Z)`,
    ].join('\n'),
  );
});
