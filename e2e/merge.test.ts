import type { PushReport, ResolveReport, StatusReport, StoreStat } from '@sluice/engine';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

const track = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/raw'] } };

type Changes = Readonly<Record<string, string | undefined>>;

/** A workspace whose branches `left` and `right` change the ten pictures of main; all is pushed, and `left` is checked out. */
async function branches(left: Changes, right: Changes): Promise<void> {
  w = await createWorkspace({ 'people/project.json': { name: 'people', targets: { raw: track } } });
  await w.sluice('init', '--remote', 'file:../remote');
  change(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [String(i), `picture ${i} `.repeat(500)])));
  await save('Ten pictures');
  await w.git('branch', '--move', 'main');
  await w.git('branch', 'left');
  await w.git('switch', '--quiet', '--create', 'right');
  change(right);
  await save('Right');
  await w.git('switch', '--quiet', 'left');
  await w.sluice('checkout');
  change(left);
  await save('Left');
}

function change(changes: Changes): void {
  for (const [name, text] of Object.entries(changes)) {
    if (text === undefined) w.remove(`people/raw/${name}.jpg`);
    else w.write({ [`people/raw/${name}.jpg`]: text });
  }
}

async function save(message: string): Promise<void> {
  await w.sluice('commit');
  await w.sluice('push');
  await w.commitAll(message);
}

const blobs = async (at: Workspace): Promise<number> => (await at.json<StoreStat>('store', 'stat')).blobs;

story('two branches that add other files are merged in a clone without data', async () => {
  await branches({ left: 'left', 0: 'changed on the left' }, { right: 'right', 9: undefined });
  const fresh = await w.clone('fresh');
  await fresh.sluice('doctor', '--fix', '--quiet');
  const merged = await fresh.git('merge', '--no-edit', 'origin/right');
  expect(merged).toContain('merged people/sluice-lock.json: raw');
  expect(await fresh.git('status', '--porcelain')).toBe('');
  expect(await blobs(fresh)).toBe(0);

  const pushed = await fresh.json<PushReport>('push');
  expect(pushed).toMatchObject({ files: { sent: 0 }, bytes: { sent: 0 } });
  expect(pushed.objects.sent).toBe(1);
  expect(await blobs(fresh)).toBe(0);
  await fresh.sluice('pull');
  const expected: Record<string, string> = {
    ...w.hashes('people/raw'),
    'right.jpg': fresh.sha256('people/raw/right.jpg'),
  };
  delete expected['9.jpg'];
  expect(fresh.hashes('people/raw')).toEqual(expected);
  expect(fresh.read('people/raw/right.jpg')).toBe('right');
  expect(await fresh.json<StatusReport>('status')).toMatchObject({ stages: [{ state: 'unchanged' }] });
});

story('a conflict ends with a side for each path', async () => {
  await branches({ 0: 'left', 1: 'left', 2: 'left' }, { 0: 'right', 1: 'right', 2: undefined, new: 'right' });
  const merge = expectCode(await w.try('git', 'merge', 'right'), 1, 'git merge');
  expect(merge.stdout).toMatch(/conflict {2}people:raw#0[.]jpg {2}changed on both sides/);
  expect(merge.stdout).toContain('people:raw#2.jpg  changed by us, removed by them');
  expect(await w.git('status', '--porcelain')).toContain('UU people/sluice-lock.json');
  expect(w.read('people/sluice-lock.json')).toContain('"class": "changed-removed"');
  expect((await w.failure(4, 'checkout')).code).toBe('ERR_LOCK_CONFLICT');
  expect((await w.failure(4, 'push')).code).toBe('ERR_LOCK_CONFLICT');
  expect(await w.sluice('status')).toContain('next: sluice resolve');
  // Their version can be looked at before anything is decided.
  await w.sluice('pull', '--rev', 'right', 'people:raw#0.jpg');
  expect(w.read('people/raw/0.jpg')).toBe('right');

  const first = await w.json<ResolveReport>('resolve', '--theirs', 'people:raw#0.jpg');
  expect([first.resolved.length, first.left.length]).toEqual([1, 2]);
  // What was decided can be taken back.
  await w.git('checkout', '--merge', '--', 'people/sluice-lock.json');
  await w.sluice('resolve', '--theirs', 'people:raw#0.jpg');
  expect(await w.sluice('resolve', '--ours')).toContain('next: git add people/sluice-lock.json');
  await w.git('add', 'people/sluice-lock.json');
  await w.git('commit', '--quiet', '--no-edit');
  await w.sluice('pull');
  const texts = ['0', '1', '2', 'new'].map((name) => w.read(`people/raw/${name}.jpg`));
  expect(texts).toEqual(['right', 'left', 'left', 'right']);
  expect(await w.json<PushReport>('push')).toMatchObject({ bytes: { sent: 0 } });
});

story('a clone that was not told merges lines, as git does', async () => {
  await branches({ left: 'left' }, { right: 'right' });
  await w.git('config', '--remove-section', 'merge.sluice-lock');
  expectCode(await w.try('git', 'merge', 'right'), 1, 'git merge');
  expect(w.read('people/sluice-lock.json')).toMatch(/^<{7} /m);
});
