import { CHECKOUT, COMMIT, REMOTES, STORE } from '../testing/samples/index.js';
import { checkoutText } from './checkout.js';
import { commitText } from './commit.js';
import { initText } from './init.js';
import { remotesText } from './remotes.js';
import { storeStatText } from './store.js';

test('a commit names its outs and what was new', () => {
  expect(commitText(COMMIT)).toBe(
    [
      'people:raw  people/raw  10 files  679.0 KiB  sha256:1a1a1a1a1a1a…',
      'committed 10 files (679.0 KiB) in 20 ms (33.2 MiB/s): 11 new objects (679.0 KiB), 0 stored already',
      'next: commit sluice-lock.json with git',
    ].join('\n'),
  );
  const again = { ...COMMIT, objects: { new: 0, reused: 11 }, bytes: { new: 0, reused: 695_311 }, ms: 0 };
  expect(commitText(again)).toMatch(/in 0 ms: no new objects, 11 stored already$/);
  expect(commitText({ ...COMMIT, stages: [] })).toContain('nothing to commit');
});

test('a checkout says what it did to the workspace', () => {
  expect(checkoutText(CHECKOUT)).toBe(
    'restored 2 files (1.3 MiB) from the store in 0.8 s; removed 1 file, left 8 files as they were',
  );
  const settled = { written: 0, removed: 0, unchanged: 1204 };
  expect(checkoutText({ ...CHECKOUT, workspace: settled })).toBe('nothing to do: 1,204 files in place');
  const empty = { ...CHECKOUT, workspace: { ...settled, unchanged: 0 } };
  expect(checkoutText(empty)).toBe('nothing to restore: the locks name no data');
  const out = { project: 'people', target: 'raw', path: 'people/raw', files: 10, bytes: 695_311 };
  expect(checkoutText({ ...empty, referenceOnly: [out] })).toBe(
    'nothing restored\nreference-only: 1 out (10 files, 679.0 KiB); sluice pull brings the data',
  );
});

test('init, remotes and store', () => {
  expect(initText({ written: ['sluice.json', '.gitignore'] })).toMatch(/^wrote sluice.json, .gitignore\nnext: /);
  expect(initText({ written: [] })).toBe('everything is there already');
  expect(remotesText(REMOTES)).toBe('near     file:../data        read-only\ns3cache  s3://bucket/prefix  default');
  expect(remotesText([])).toContain('sluice remote add');
  expect(storeStatText(STORE)).toBe('6 objects: 4 blobs, 2 trees (1.2 MiB)\n2 records; in /w/.sluice');
});
