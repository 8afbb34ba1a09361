import type { CommitReport, PullReport, PushReport, ResolveReport, StatusReport, StoreStat } from '@sluice/engine';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

const track = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } };

/** A workspace with ten files of data, pushed to a directory. */
async function people(): Promise<Workspace> {
  w = await createWorkspace({ 'people/project.json': { name: 'people', targets: { raw: track } } });
  await w.sluice('init', '--remote', 'file:../remote');
  for (let i = 0; i < 10; i++) w.write({ [`people/raw/${i}.jpg`]: `picture ${i} `.repeat(500) });
  await save(w, 'Ten pictures');
  return w;
}

async function save(at: Workspace, message: string): Promise<void> {
  await at.json<CommitReport>('commit');
  await at.json<PushReport>('push');
  await at.commitAll(message);
}

/** A clone whose git knows how locks are merged, on a branch of its own, with data. */
async function branch(name: string): Promise<Workspace> {
  const clone = await w.clone(name);
  await clone.sluice('init');
  await clone.git('checkout', '--quiet', '-b', name);
  await clone.sluice('pull');
  return clone;
}

const blobs = async (at: Workspace): Promise<number> => (await at.json<StoreStat>('store', 'stat')).blobs;

story('two branches that add other files are merged in a clone without data', async () => {
  await people();
  const left = await branch('left');
  left.write({ 'people/raw/left.jpg': 'left', 'people/raw/0.jpg': 'changed on the left' });
  await save(left, 'Left');
  await left.git('push', '--quiet', 'origin', 'left');
  const right = await branch('right');
  right.write({ 'people/raw/right.jpg': 'right' });
  right.remove('people/raw/9.jpg');
  await save(right, 'Right');
  await right.git('push', '--quiet', 'origin', 'right');

  const fresh = await w.clone('fresh');
  await fresh.sluice('doctor', '--fix', '--quiet');
  await fresh.git('checkout', '--quiet', 'left');
  const merged = await fresh.git('merge', '--no-edit', 'origin/right');
  expect(merged).toContain('merged people/sluice-lock.json: raw');
  expect(await fresh.git('status', '--porcelain')).toBe('');
  expect(await blobs(fresh)).toBe(0);

  const pushed = await fresh.json<PushReport>('push');
  expect(pushed).toMatchObject({ files: { sent: 0 }, bytes: { sent: 0 } });
  expect(pushed.objects.sent).toBe(1);
  expect(await blobs(fresh)).toBe(0);
  await fresh.json<PullReport>('pull');
  const expected = { ...left.hashes('people/raw'), ...right.hashes('people/raw') };
  expected['0.jpg'] = left.sha256('people/raw/0.jpg');
  delete expected['9.jpg'];
  expect(fresh.hashes('people/raw')).toEqual(expected);
  expect(await fresh.json<StatusReport>('status')).toMatchObject({ stages: [{ state: 'unchanged' }] });
});

story('a conflict ends with a side for each path', async () => {
  await people();
  const left = await branch('left');
  left.write({ 'people/raw/0.jpg': 'left', 'people/raw/1.jpg': 'left', 'people/raw/2.jpg': 'left' });
  await save(left, 'Left');
  const right = await branch('right');
  right.write({ 'people/raw/0.jpg': 'right', 'people/raw/1.jpg': 'right', 'people/raw/new.jpg': 'right' });
  right.remove('people/raw/2.jpg');
  await save(right, 'Right');
  await right.git('push', '--quiet', 'origin', 'right');

  await left.git('fetch', '--quiet', 'origin');
  const merge = expectCode(await left.try('git', 'merge', 'origin/right'), 1, 'git merge');
  expect(merge.stdout).toMatch(/conflict {2}people:raw#0[.]jpg {2}changed on both sides/);
  expect(merge.stdout).toContain('people:raw#2.jpg  changed by us, removed by them');
  expect(await left.git('status', '--porcelain')).toContain('UU people/sluice-lock.json');
  expect(left.read('people/sluice-lock.json')).toContain('"class": "changed-removed"');
  expect((await left.failure(4, 'checkout')).code).toBe('ERR_LOCK_CONFLICT');
  expect((await left.failure(4, 'push')).code).toBe('ERR_LOCK_CONFLICT');
  expect(expectCode(await left.try('sluice', 'status'), 0, 'status').stdout).toContain('next: sluice resolve');

  // Their version can be looked at before anything is decided.
  await left.sluice('pull', '--rev', 'origin/right', 'people:raw#0.jpg');
  expect(left.read('people/raw/0.jpg')).toBe('right');

  const first = await left.json<ResolveReport>('resolve', '--theirs', 'people:raw#0.jpg');
  expect([first.resolved.length, first.left.length]).toEqual([1, 2]);
  // What was decided can be taken back.
  await left.git('checkout', '--merge', '--', 'people/sluice-lock.json');
  await left.sluice('resolve', '--theirs', 'people:raw#0.jpg');
  expect(await left.sluice('resolve', '--ours')).toContain('next: git add people/sluice-lock.json');
  await left.git('add', 'people/sluice-lock.json');
  await left.git('commit', '--quiet', '--no-edit');
  await left.sluice('push');
  await left.sluice('pull');
  const texts = ['0', '1', '2', 'new'].map((name) => left.read(`people/raw/${name}.jpg`));
  expect(texts).toEqual(['right', 'left', 'left', 'right']);
});

story('a clone that was not told merges lines, as git does', async () => {
  await people();
  const left = await branch('left');
  left.write({ 'people/raw/left.jpg': 'left' });
  await save(left, 'Left');
  await left.git('push', '--quiet', 'origin', 'left');
  const right = await branch('right');
  right.write({ 'people/raw/right.jpg': 'right' });
  await save(right, 'Right');
  await right.git('fetch', '--quiet');
  await right.git('config', '--remove-section', 'merge.sluice-lock');
  expectCode(await right.try('git', 'merge', 'origin/left'), 1, 'git merge');
  expect(right.read('people/sluice-lock.json')).toMatch(/^<{7} /m);
});
