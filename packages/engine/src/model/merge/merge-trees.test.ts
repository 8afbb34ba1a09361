import fc from 'fast-check';
import { type ModelTree, modelTree, nodeBox } from '../../testing/model-tree.js';
import { sortUtf8 } from '../path.js';
import type { ConflictClass, Sides } from './merge-entry.js';
import { type MergedTree, mergeTrees } from './merge-trees.js';

type Model = ModelTree | string | undefined;
interface Outcome {
  readonly tree: Model;
  readonly conflicts: readonly string[];
}

async function merge(
  base: ModelTree | undefined,
  ours: ModelTree | undefined,
  theirs: ModelTree | undefined,
): Promise<Outcome> {
  const box = nodeBox();
  const merged = await mergeTrees(
    { base: box.put(base), ours: box.put(ours), theirs: box.put(theirs) },
    box.read,
    box.emit,
  );
  return outcomeOf(box, merged);
}

function outcomeOf(box: ReturnType<typeof nodeBox>, merged: MergedTree): Outcome {
  return { tree: box.get(merged.entry), conflicts: merged.conflicts.map(({ path, class: name }) => `${path} ${name}`) };
}

/** The same rules on plain values, without digests, nodes or laziness. */
function naive({ base, ours, theirs }: Sides<string | ModelTree>, path = ''): Outcome {
  const same = (a: Model, b: Model): boolean => canonical(a) === canonical(b);
  if (same(ours, theirs) || same(base, theirs)) return { tree: ours, conflicts: [] };
  if (same(base, ours)) return { tree: theirs, conflicts: [] };
  const isTree = (model: Model): boolean => typeof model === 'object';
  const removed = ours === undefined || theirs === undefined;
  if ((isTree(ours) && isTree(theirs)) || (isTree(base) && removed && isTree(ours ?? theirs))) {
    const conflicts: string[] = [];
    const tree: Record<string, string | ModelTree> = {};
    const child = (model: Model, name: string): Model => (typeof model === 'object' ? model[name] : undefined);
    for (const name of sortUtf8([
      ...new Set([base, ours, theirs].flatMap((m) => (typeof m === 'object' ? Object.keys(m) : []))),
    ])) {
      const sides = { base: child(base, name), ours: child(ours, name), theirs: child(theirs, name) };
      const below = naive(sides, path === '' ? name : `${path}/${name}`);
      if (below.tree !== undefined) tree[name] = below.tree;
      conflicts.push(...below.conflicts);
    }
    return { tree: removed && Object.keys(tree).length === 0 ? undefined : tree, conflicts };
  }
  const name: ConflictClass =
    base === undefined
      ? 'both-added'
      : ours === undefined
        ? 'removed-changed'
        : theirs === undefined
          ? 'changed-removed'
          : 'both-changed';
  return { tree: ours, conflicts: [`${path} ${name}`] };
}

function canonical(model: Model): string {
  if (typeof model !== 'object') return JSON.stringify(model) ?? 'nothing';
  return `{${sortUtf8(Object.keys(model))
    .map((name) => `${JSON.stringify(name)}:${canonical(model[name])}`)
    .join(',')}}`;
}

const MIRROR: Record<string, string> = { 'removed-changed': 'changed-removed', 'changed-removed': 'removed-changed' };

function mirrored(conflicts: readonly string[]): string[] {
  return conflicts.map((conflict) => {
    const [, path = '', name = ''] = /^(.*) (\S+)$/s.exec(conflict) ?? [];
    return `${path} ${MIRROR[name] ?? name}`;
  });
}

describe('the table of one path', () => {
  const states = { unchanged: 'A', X: 'X', Y: 'Y', removed: undefined };
  const withBase: Record<string, string> = {
    'unchanged unchanged': 'A',
    'unchanged X': 'X',
    'unchanged Y': 'Y',
    'unchanged removed': 'nothing',
    'X unchanged': 'X',
    'X X': 'X',
    'X Y': 'both-changed',
    'X removed': 'changed-removed',
    'Y unchanged': 'Y',
    'Y X': 'both-changed',
    'Y Y': 'Y',
    'Y removed': 'changed-removed',
    'removed unchanged': 'nothing',
    'removed X': 'removed-changed',
    'removed Y': 'removed-changed',
    'removed removed': 'nothing',
  };
  const entries = Object.entries(states);
  const pairs = entries.flatMap(([a, ours]) => entries.map(([b, theirs]) => [`${a} ${b}`, ours, theirs] as const));
  const tree = (content: string | undefined): ModelTree =>
    content === undefined ? { k: '0' } : { k: '0', f: content };
  const shown = ({ tree: merged, conflicts: [conflict] }: Outcome): string =>
    conflict?.replace('f ', '') ?? (typeof merged === 'object' ? String(merged.f ?? 'nothing') : 'no tree');

  test.each(pairs)('base A: %s', async (name, ours, theirs) => {
    expect(shown(await merge(tree('A'), tree(ours), tree(theirs)))).toBe(withBase[name]);
  });

  test.each([
    ['none', undefined, undefined, 'nothing'],
    ['we', 'X', undefined, 'X'],
    ['they', undefined, 'X', 'X'],
    ['both the same', 'X', 'X', 'X'],
    ['both', 'X', 'Y', 'both-added'],
  ])('without base: %s', async (_, ours, theirs, expected) => {
    expect(shown(await merge(tree(undefined), tree(ours), tree(theirs)))).toBe(expected);
  });

  test.each([
    ['the executable bit', 'A', 'x!A', 'B', 'both-changed'],
    ['a link for a file', 'A', '@A', 'x!A', 'both-changed'],
    ['a directory for a file', 'A', { d: '1' }, 'B', 'both-changed'],
    ['a directory and a file', undefined, { d: '1' }, 'B', 'both-added'],
    ['a directory that they removed as a file', 'A', { d: '1' }, undefined, 'changed-removed'],
  ])('a change is also %s', async (_, base, ours, theirs, expected) => {
    const of = (f: string | ModelTree | undefined): ModelTree => (f === undefined ? {} : { f });
    expect((await merge(of(base), of(ours), of(theirs))).conflicts).toEqual([`f ${expected}`]);
  });
});

describe('directories', () => {
  test('one that a side removed loses what the other left alone, and keeps what it added', async () => {
    const base = { d: { same: '1', changed: '1', e: { deep: '1' } } };
    const ours = { d: { same: '1', changed: '2', e: { deep: '1' }, added: '3' } };
    expect(await merge(base, ours, {})).toEqual({
      tree: { d: { changed: '2', added: '3' } },
      conflicts: ['d/changed changed-removed'],
    });
    expect(await merge(base, { d: { ...base.d, added: '3' } }, {})).toEqual({
      tree: { d: { added: '3' } },
      conflicts: [],
    });
    expect(await merge(base, { d: {} }, {})).toEqual({ tree: {}, conflicts: [] });
    expect(await merge(base, { d: {} }, { d: { e: {} } })).toEqual({ tree: { d: {} }, conflicts: [] });
  });

  test('a whole out that a side removed, or that both made', async () => {
    expect(await merge({ a: '1' }, { a: '1' }, undefined)).toEqual({ tree: undefined, conflicts: [] });
    expect(await merge({ a: '1' }, { a: '1', b: '2' }, undefined)).toEqual({ tree: { b: '2' }, conflicts: [] });
    expect(await merge(undefined, { a: '1' }, { b: '2' })).toEqual({ tree: { a: '1', b: '2' }, conflicts: [] });
    expect(await merge(undefined, { a: '1' }, { a: '2' })).toEqual({ tree: { a: '1' }, conflicts: ['a both-added'] });
  });
});

describe('any three trees', () => {
  const runs = { numRuns: 400 };

  test('merge as the plain values do, to the root that their content has', async () => {
    await fc.assert(
      fc.asyncProperty(modelTree, modelTree, modelTree, async (base, ours, theirs) => {
        const box = nodeBox();
        const sides = { base: box.put(base), ours: box.put(ours), theirs: box.put(theirs) };
        const merged = await mergeTrees(sides, box.read, box.emit);
        const expected = naive({ base, ours, theirs });
        const { tree, conflicts } = outcomeOf(box, merged);
        expect(canonical(tree)).toBe(canonical(expected.tree));
        expect([...conflicts].sort()).toEqual([...expected.conflicts].sort());
        const again = typeof expected.tree === 'object' ? box.put(expected.tree) : undefined;
        expect(merged.entry).toEqual(again);
      }),
      runs,
    );
  });

  test('what only one side changed is taken, and equal changes are one', async () => {
    await fc.assert(
      fc.asyncProperty(modelTree, modelTree, async (base, side) => {
        for (const sides of [
          [base, side, side],
          [base, base, side],
          [base, side, base],
        ] as const) {
          const { tree, conflicts } = await merge(...sides);
          expect([canonical(tree), conflicts]).toEqual([canonical(side), []]);
        }
      }),
      runs,
    );
  });

  test('swapped sides have the mirrored conflicts, and without any the same root', async () => {
    await fc.assert(
      fc.asyncProperty(modelTree, modelTree, modelTree, async (base, ours, theirs) => {
        const [one, other] = [await merge(base, ours, theirs), await merge(base, theirs, ours)];
        expect(mirrored(other.conflicts)).toEqual(one.conflicts);
        if (one.conflicts.length === 0) expect(canonical(one.tree)).toBe(canonical(other.tree));
      }),
      runs,
    );
  });

  test('changes of other names are both there', async () => {
    await fc.assert(
      fc.asyncProperty(modelTree, modelTree, modelTree, async (base, left, right) => {
        const ours = { ...base, left };
        const theirs = { ...base, right };
        const { tree, conflicts } = await merge(base, ours, theirs);
        expect([canonical(tree), conflicts]).toEqual([canonical({ ...base, left, right }), []]);
      }),
      runs,
    );
  });
});

describe('what is read', () => {
  const many = (count: number, changes: Record<string, string | undefined> = {}): ModelTree => {
    const all: Record<string, string> = {};
    for (let i = 0; i < count; i++) all[`f${String(i).padStart(6, '0')}`] = '1';
    for (const [name, content] of Object.entries(changes)) {
      if (content === undefined) delete all[name];
      else all[name] = content;
    }
    return all;
  };

  test('only directories that differ', async () => {
    const box = nodeBox();
    const quiet = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`q${i}`, { a: { b: String(i) } }]));
    const base = box.put({ ...quiet, d: { x: '1', y: '1', quiet } });
    const ours = box.put({ ...quiet, d: { x: '2', y: '1', quiet } });
    const theirs = box.put({ ...quiet, d: { x: '1', y: '2', quiet } });
    const { entry, conflicts } = await mergeTrees({ base, ours, theirs }, box.read, box.emit);
    expect(conflicts).toEqual([]);
    expect(entry).toEqual(box.put({ ...quiet, d: { x: '2', y: '2', quiet } }));
    expect(box.wanted.map(({ side, path }) => `${side} ${path}`)).toEqual([
      'base ',
      'ours ',
      'theirs ',
      'base d',
      'ours d',
      'theirs d',
    ]);
  });

  test('of a split directory only parts that differ', async () => {
    const box = nodeBox();
    const [base, ours, theirs] = [{}, { f000010: '2' }, { f019990: '2' }].map((changes) =>
      box.put(many(20_000, changes)),
    );
    const { entry } = await mergeTrees({ base, ours, theirs }, box.read, box.emit);
    expect(entry).toEqual(box.put(many(20_000, { f000010: '2', f019990: '2' })));
    // Three nodes that stand for the directory, and on each side the two parts that somebody changed.
    expect(box.wanted).toHaveLength(3 + 6);
  });

  test('a split directory is split as its content asks for, whatever was changed', async () => {
    const names = fc.array(fc.integer({ min: 0, max: 5200 }), { maxLength: 60 });
    const run = fc.tuple(fc.integer({ min: 0, max: 5200 }), fc.integer({ min: 0, max: 2600 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 900, max: 5000 }),
        names,
        names,
        run,
        run,
        async (count, a, b, [c, n], [d, m]) => {
          const box = nodeBox();
          const changes = (
            list: number[],
            from: number,
            length: number,
            parity: number,
          ): Record<string, string | undefined> => {
            const changed: Record<string, string | undefined> = {};
            for (const i of list) if (i % 2 === parity) changed[`f${String(i).padStart(6, '0')}`] = `${parity + 2}`;
            for (let i = from; i < from + length; i++)
              if (i % 2 === parity) changed[`f${String(i).padStart(6, '0')}`] = undefined;
            return changed;
          };
          const [left, right] = [changes(a, c, n, 0), changes(b, d, m, 1)];
          const sides = {
            base: box.put(many(count)),
            ours: box.put(many(count, left)),
            theirs: box.put(many(count, right)),
          };
          const { entry, conflicts } = await mergeTrees(sides, box.read, box.emit);
          expect(conflicts).toEqual([]);
          expect(entry).toEqual(box.put(many(count, { ...left, ...right })));
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});

test('a node that is not what the tree above it says is refused', async () => {
  const box = nodeBox();
  const [base, ours, theirs] = [{ d: { a: '1' } }, { d: { a: '2' } }, { d: { a: '3' } }].map((model) => box.put(model));
  const lie = (entry: typeof base): typeof base =>
    entry === undefined ? undefined : { ...entry, files: entry.files + 1 };
  await expect(mergeTrees({ base, ours: lie(ours), theirs }, box.read, box.emit)).rejects.toMatchObject({
    code: 'ERR_TREE_INVALID',
  });
});
