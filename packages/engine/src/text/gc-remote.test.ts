import { gcRemoteText } from './gc-remote.js';

const nothing = { blobs: 0, trees: 0, bytes: 0 };
const quiet = {
  remote: 's3cache',
  removed: nothing,
  kept: { blobs: 2, trees: 1, bytes: 1_363_149 },
  condemned: nothing,
  dueMs: null,
  foreignRoots: 0,
  freed: { objects: 0, bytes: 0 },
  repacked: { packs: 0, bytes: 0 },
  unfinished: [],
  dryRun: true,
};
const unfinished = [{ key: `shared/blobs/1a/${'0'.repeat(62)}`, bytes: 16_777_216, since: '2026-01-02T03:04:05.000Z' }];

test('the collection of a remote says what goes next, and when', () => {
  const busy = {
    ...quiet,
    removed: { blobs: 2, trees: 1, bytes: 1_260_000 },
    condemned: { blobs: 4, trees: 1, bytes: 2_097_152 },
    dueMs: 86_400_000,
    foreignRoots: 1,
    freed: { objects: 3, bytes: 1_260_000 },
    repacked: { packs: 2, bytes: 524_288 },
    unfinished,
    dryRun: false,
  };
  expect(gcRemoteText(busy, '--foreign 90d')).toBe(
    [
      'removed 3 objects (1.2 MiB) from s3cache; 3 kept (1.3 MiB)',
      'that freed 1.2 MiB there',
      'condemned 5 objects (2.0 MiB): a collection in 1 day or later deletes what nobody needs by then',
      'copied 512.0 KiB out of 2 packs of which most was dead',
      'removed 1 unfinished upload (16.0 MiB)',
      '1 root kept that no commit here names: --foreign 90d gives up those that are older',
    ].join('\n'),
  );
});

test('a dry run that finds nothing is one line, and names uploads that would go', () => {
  const first = 'would remove 0 objects (0 B) from s3cache; 3 kept (1.3 MiB)';
  expect(gcRemoteText(quiet, '--foreign 90d')).toBe(first);
  expect(gcRemoteText({ ...quiet, unfinished }, '--foreign 90d')).toBe(
    [
      first,
      'would remove 1 unfinished upload (16.0 MiB)',
      `  shared/blobs/1a/${'0'.repeat(62)} (16.0 MiB, nothing since 2026-01-02T03:04:05.000Z)`,
    ].join('\n'),
  );
});
