import { GC, GC_EXPLANATION } from '../testing/samples/index.js';
import { gcExplanationText, gcText } from './gc.js';

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
