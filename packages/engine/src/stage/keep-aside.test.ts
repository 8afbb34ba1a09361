import { parseRelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { listKept } from '../store/kept.js';
import { diskTree, readTree } from '../testing/disk-tree.js';
import { makeStage, writeMakeStage } from '../testing/make-stage.js';
import { type TestStages, useStages } from '../testing/stage-context.js';
import { checkoutOut } from '../workspace/checkout-out.js';

const stages = useStages();
let s: TestStages;
beforeEach(() => {
  s = stages();
  writeMakeStage(s);
});

test('are kept aside, noted, and made again', async () => {
  await s.run('make');
  s.write('p/out/a', 'by hand\n');
  s.write('p/out/new', 'by hand too\n');
  const edited = readTree(s.at('p/out'));
  expect(await s.outcome('make')).toBe('ran, out p/out');
  expect(s.read('p/out/a')).toBe('in\n');
  const [kept] = listKept(s.workspace.store);
  if (kept?.kind !== 'note') throw new Error('nothing was kept');
  expect(kept.note).toMatchObject({ path: 'p/out', workspace: s.workspace.root, root: { kind: 'tree', files: 3 } });
  const { digest } = kept.note.root;
  expect(s.events).toContainEqual(expect.objectContaining({ type: 'warning', hint: expect.stringContaining(digest) }));
  // It can be had back byte for byte.
  const root = kept.note.root;
  await checkoutOut(s.workspace, parseRelPath('p/back'), root, undefined, { how: ['copy'], readOnly: false });
  expect(readTree(s.at('p/back'))).toEqual(edited);
});

test('are kept aside before another result takes their place', async () => {
  await s.run('make');
  s.write('p/in.txt', 'second\n');
  await s.run('make');
  s.write('p/in.txt', 'in\n');
  s.write('p/out/a', 'by hand\n');
  expect(await s.outcome('make')).toBe('restored, dep p/in.txt');
  expect(listKept(s.workspace.store)).toHaveLength(1);
});

test('are not kept twice, nor what the store knows', async () => {
  await s.run('make');
  expect(await s.outcome('make', { force: true })).toBe('ran, forced');
  s.write('p/out/a', 'in\n');
  expect(await s.outcome('make')).toBe('unchanged');
  expect(listKept(s.workspace.store)).toEqual([]);
  expect(s.events.filter(({ type }) => type === 'warning')).toEqual([]);
});

test('are taken, if they are mutable', async () => {
  s.declare('make', makeStage({ outs: [{ path: 'p/out', mutability: 'mutable' }] }));
  await s.run('make');
  s.write('p/out/a', 'by hand\n');
  expect(await s.outcome('make')).toBe('committed, out p/out');
  expect(await s.outcome('make')).toBe('unchanged');
  expect([s.runs('make'), s.read('p/out/a')]).toEqual([1, 'by hand\n']);
});

test('are taken without forgetting those that are not there', async () => {
  const outs = [{ path: 'p/out/a', mutability: 'mutable' }, 'p/out/d'];
  s.declare('make', makeStage({ outs }));
  await s.run('make');
  const lockedD = (): OutRoot | undefined => s.lock().stages.get('make')?.outs.get(parseRelPath('p/out/d'));
  const before = lockedD();
  s.remove('p/out/d');
  s.write('p/out/a', 'by hand\n');
  expect(await s.outcome('make')).toBe('committed, out p/out/a');
  expect([before?.files, lockedD()]).toEqual([1, before]);
  expect(await s.run('make')).toMatchObject({ outcome: 'restored', files: 1 });
});

test('what .sluiceignore names in them stays', async () => {
  s.write('.sluiceignore', '*.tmp\n');
  await s.run('make');
  s.write('p/out/d/mine.tmp', 'mine');
  expect(await s.outcome('make')).toBe('unchanged');
  s.write('p/in.txt', 'second\n');
  expect(await s.outcome('make')).toBe('ran, dep p/in.txt');
  expect(readTree(s.at('p/out'))).toEqual(diskTree({ a: 'second\n', 'd/b': 'b\n', 'd/mine.tmp': 'mine' }));
  s.declare('make', makeStage({ command: 'echo file > out' }));
  await expect(s.run('make')).rejects.toMatchObject({ code: 'ERR_OUT_MODIFIED' });
  expect(s.read('p/out/d/mine.tmp')).toBe('mine');
});
