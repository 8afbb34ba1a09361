import type { PushReport, StoreStat } from '@sluice/engine';
import { patternBytes } from './harness/bytes.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

function tracked(name: string): object {
  const target = { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/data'] } };
  return { name, targets: { data: target } };
}

story('one more file in a directory of two: two more objects, and one line of the lock', async () => {
  w = await createWorkspace({ 'p/project.json': tracked('p') });
  w.write({ 'p/data/1': 'one\n', 'p/data/2': 'two\n' });
  await w.sluice('commit');
  await w.commitAll('Two files');
  expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 3, blobs: 2, trees: 1 });
  w.write({ 'p/data/3': 'three\n' });
  await w.sluice('commit');
  expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ objects: 5, blobs: 3, trees: 2 });
  expect(await w.git('diff', '--numstat')).toBe('1\t1\tp/sluice-lock.json\n');
  await w.commitAll('Three files');
  await w.git('switch', '--quiet', '--detach', 'HEAD~1');
  await w.sluice('checkout');
  expect(Object.keys(w.hashes('p/data'))).toEqual(['1', '2']);
});

story('two datasets with five of seven files in common: the second one sends two', async () => {
  w = await createWorkspace({ 'people/project.json': tracked('people'), 'famous/project.json': tracked('famous') });
  await w.sluice('init', '--remote', 'file:../remote');
  const people = Array.from({ length: 10 }, (_, at) => [`${at}.jpg`, patternBytes(`face ${at}`, 60_000 + at)] as const);
  const famous = Array.from(
    { length: 7 },
    (_, at) => [`${at + 5}.jpg`, patternBytes(`face ${at + 5}`, 60_000 + at + 5)] as const,
  );
  w.write(Object.fromEntries(people.map(([name, bytes]) => [`people/data/${name}`, bytes])));
  w.write(Object.fromEntries(famous.map(([name, bytes]) => [`famous/data/${name}`, bytes])));
  await w.sluice('commit');
  expect(await w.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 12, trees: 2 });
  expect(await w.json<PushReport>('push', 'people')).toMatchObject({
    files: { sent: 10, reused: 0 },
    objects: { sent: 11, reused: 0 },
    bytes: { sent: 600_045, reused: 0 },
  });
  expect(await w.json<PushReport>('push', 'famous')).toMatchObject({
    files: { sent: 2, reused: 5 },
    objects: { sent: 3, reused: 5 },
    bytes: { sent: 120_021, reused: 300_035 },
  });
  expect(await w.json<PushReport>('push')).toMatchObject({
    files: { sent: 0 },
    bytes: { sent: 0 },
    requests: { put: 0 },
  });
});
