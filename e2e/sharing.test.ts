import type { StoreStat } from '@sluice/engine';
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
