import fc from 'fast-check';
import { type ModelTree, modelTree, nodeBox } from '../../testing/model-tree.js';
import { editTree } from './edit-tree.js';
import { mergeTrees } from './merge-trees.js';

async function edited(before: ModelTree, edits: Record<string, string | ModelTree | undefined>): Promise<unknown> {
  const box = nodeBox();
  const entryOf = (content: string | ModelTree | undefined): ReturnType<typeof box.put> =>
    typeof content === 'string' ? box.file(content) : box.put(content);
  const entries = Object.entries(edits).map(([path, content]) => [path, entryOf(content)] as const);
  const after = await editTree(box.put(before), new Map(entries), box.read, box.emit);
  return box.get(after);
}

test('entries are put, replaced and taken away, with the directories on the way', async () => {
  expect(await edited({ a: '1', d: { x: '1' } }, { 'd/x': '2', 'n/m/y': 'x!3' })).toEqual({
    a: '1',
    d: { x: '2' },
    n: { m: { y: 'x!3' } },
  });
  expect(await edited({ a: '1', d: { e: { x: '1' } } }, { 'd/e/x': undefined })).toEqual({ a: '1' });
  expect(await edited({ a: '1' }, { a: undefined })).toEqual({});
  expect(await edited({ a: '1' }, { 'a/b': '2' })).toEqual({ a: { b: '2' } });
  expect(await edited({ a: { b: '2' } }, { a: '1' })).toEqual({ a: '1' });
  expect(await edited({ a: '1' }, { '': { b: '2' } })).toEqual({ b: '2' });
  expect(await edited({ a: '1' }, { '': undefined })).toBeUndefined();
});

test('a merge whose conflicts all get one side is that side, apart from what the other side changed alone', async () => {
  await fc.assert(
    fc.asyncProperty(modelTree, modelTree, modelTree, async (base, ours, theirs) => {
      const box = nodeBox();
      const sides = { base: box.put(base), ours: box.put(ours), theirs: box.put(theirs) };
      const merged = await mergeTrees(sides, box.read, box.emit);
      for (const side of ['ours', 'theirs'] as const) {
        const edits = new Map(merged.conflicts.map((conflict) => [conflict.path, conflict[side]]));
        const resolved = await editTree(merged.entry, edits, box.read, box.emit);
        for (const conflict of merged.conflicts) {
          expect(at(box.get(resolved), conflict.path)).toEqual(box.get(conflict[side]));
        }
      }
    }),
    { numRuns: 300 },
  );
});

function at(model: string | ModelTree | undefined, path: string): string | ModelTree | undefined {
  if (path === '') return model;
  const [name = '', ...rest] = path.split('/');
  return typeof model === 'object' ? at(model[name], rest.join('/')) : undefined;
}
