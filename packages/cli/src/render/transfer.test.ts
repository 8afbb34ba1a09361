import type { PushReport, RemotePush } from '@sluice/engine';
import { FETCH, PULL, PUSH } from '../testing/samples/index.js';
import { fetchText } from './fetch.js';
import { pullText } from './pull.js';
import { pushText } from './push.js';

const pushed = (...changes: Partial<RemotePush>[]): PushReport => ({
  ...PUSH,
  remotes: changes.map((change) => ({ ...PUSH, error: null, ...change })),
});

test('a push counts files of the user, new and stored apart', () => {
  const first = { files: { sent: 10, reused: 0 }, bytes: { sent: 695_311, reused: 0 } };
  expect(pushText(pushed(first), false)).toBe(
    'pushed 10 files: 10 new (679.0 KiB), 0 already stored; to s3cache in 0.8 s',
  );
  expect(pushText(PUSH, false)).toBe(
    'pushed 7 files: 2 new (156.6 KiB), 5 already stored (250.7 KiB); to s3cache in 0.8 s',
  );
  expect(pushText({ ...PUSH, dryRun: true }, false)).toBe(
    'would push 7 files: 2 new (156.6 KiB), 5 already stored (250.7 KiB); to s3cache',
  );
  expect(pushText(pushed({ files: { sent: 0, reused: 0 } }), true)).toBe(
    'nothing to push to s3cache: the locks name no data\nrequests: 1 head, 3 put',
  );
});

test('a push to several remotes has a line for each', () => {
  const error = { code: 'ERR_REMOTE_DOWN', message: 'it does not answer' } as const;
  expect(pushText(pushed({}, { remote: 'far', error }), false)).toBe(
    'pushed 7 files: 2 new (156.6 KiB), 5 already stored (250.7 KiB); to s3cache in 0.8 s\nnot pushed to far: ERR_REMOTE_DOWN',
  );
});

test('a fetch says what came, what was here and what was left out', () => {
  expect(fetchText(FETCH, false)).toBe('received 2 files (1.3 MiB) from s3cache in 0.8 s');
  expect(fetchText({ ...FETCH, files: { received: 2, reused: 1204 } }, false)).toBe(
    'received 2 files (1.3 MiB) from s3cache in 0.8 s; 1,204 files were here already',
  );
  expect(fetchText({ ...FETCH, files: { received: 0, reused: 1 } }, false)).toBe(
    'nothing to receive from s3cache: 1 file was here already',
  );
  expect(fetchText({ ...FETCH, left: { files: 3, bytes: 4096 } }, true)).toBe(
    'received 2 files (1.3 MiB) from s3cache in 0.8 s\nleft out 3 files (4.0 KiB), which would cross --max-bytes\nrequests: 1 head, 2 get',
  );
  const sources = ['near', 'far', 'farther'].map((remote) => ({ remote, bytes: 1 }));
  expect(fetchText({ ...FETCH, sources }, false)).toBe(
    'received 2 files (1.3 MiB) from near, far and farther in 0.8 s',
  );
  const none = { ...FETCH, files: { received: 0, reused: 0 } };
  expect(fetchText(none, false)).toBe('nothing to receive from s3cache: the locks name no data');
});

test('a pull says what was local and what came from the remote', () => {
  expect(pullText(PULL, false)).toBe('restored 2 files (1.3 MiB): 0 local, 2 from s3cache');
  const mixed = { ...PULL, workspace: { written: 10, removed: 1, unchanged: 4 } };
  expect(pullText(mixed, false)).toBe(
    'restored 10 files: 8 local, 2 (1.3 MiB) from s3cache; removed 1 file, left 4 files as they were',
  );
  const local = { ...mixed, files: { received: 0, reused: 10 } };
  expect(pullText(local, false)).toBe(
    'restored 10 files: 10 local, 0 from s3cache; removed 1 file, left 4 files as they were',
  );
});

test('a pull of old versions does not call them restored', () => {
  const history = { ...PULL, files: { received: 6, reused: 0 } };
  expect(pullText(history, false)).toBe(
    'received 6 files (1.3 MiB) from s3cache in 0.8 s\nrestored 2 files: 0 local, 2 from s3cache',
  );
  const inPlace = { ...history, workspace: { written: 0, removed: 0, unchanged: 2 } };
  expect(pullText(inPlace, false)).toBe('received 6 files (1.3 MiB) from s3cache in 0.8 s');
});

test('a pull with nothing to do says so', () => {
  const settled = { ...PULL, files: { received: 0, reused: 2 }, workspace: { written: 0, removed: 0, unchanged: 2 } };
  expect(pullText(settled, false)).toBe('nothing to do: 2 files in place');
});
