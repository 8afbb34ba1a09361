import fc from 'fast-check';
import { foldLevels, type Weighted } from './fold-levels.js';
import { levelsOf } from './levels.js';
import { packGroups } from './pack-groups.js';
import { planWork, type SeenStage } from './plan-work.js';

const seen = (name: string, state: SeenStage['state'], needs: string[] = [], staysHere?: string): SeenStage => {
  return { name, state, needs, staysHere };
};
const actions = (...stages: SeenStage[]): Record<string, string> =>
  Object.fromEntries(planWork(stages).map(({ name, action }) => [name, action]));

test('what is below a stage that runs may run, whatever it is now; what is above has nothing to do', () => {
  expect(
    actions(
      seen('d', 'unchanged', ['c']),
      seen('c', 'restorable', ['b']),
      seen('b', 'changed', ['a']),
      seen('a', 'unchanged'),
      seen('other', 'unchanged', ['a']),
    ),
  ).toEqual({ a: 'none', b: 'run', c: 'may-run', d: 'may-run', other: 'none' });
});

test('a known result is restored and makes nobody run', () => {
  expect(actions(seen('a', 'restorable'), seen('b', 'unchanged', ['a']))).toEqual({ a: 'restore', b: 'none' });
});

test('what others would not find is left, with all that follows from it', () => {
  const stages = [seen('a', 'changed', [], 'no record'), seen('b', 'new', ['a']), seen('c', 'new')];
  expect(planWork(stages)).toEqual([
    { name: 'a', action: 'left', because: ['no record'] },
    { name: 'b', action: 'left', because: ['a'] },
    { name: 'c', action: 'run', because: [] },
  ]);
  expect(actions(seen('a', 'unchanged', [], 'no record'), seen('b', 'new', ['a']))).toEqual({ a: 'none', b: 'run' });
});

const node = (name: string, needs: string[] = [], ms = 1): Weighted => ({ name, needs, ms });
const names = (levels: readonly (readonly (readonly Weighted[])[])[]): string[][] =>
  levels.map((groups) => groups.map((group) => group.map(({ name }) => name).join(' ')));

test('a chain is one entry, and so is each of two chains', () => {
  const chain = (prefix: string): Weighted[] =>
    [1, 2, 3, 4, 5, 6].map((at) => node(`${prefix}${at}`, at === 1 ? [] : [`${prefix}${at - 1}`]));
  expect(names(foldLevels(chain('a'), 4))).toEqual([['a1 a2 a3 a4 a5 a6']]);
  expect(names(foldLevels([...chain('b'), ...chain('a')], 4))).toEqual([['a1 a2 a3 a4 a5 a6', 'b1 b2 b3 b4 b5 b6']]);
});

const DIAMOND = [node('top'), ...['a', 'b', 'c'].map((name) => node(name, ['top'], 10)), node('end', ['a', 'b', 'c'])];

test('what is wide stays wide while there are levels for it', () => {
  expect(names(foldLevels(DIAMOND, 4))).toEqual([['top'], ['a', 'b', 'c'], ['end']]);
  // With two levels nothing is gained by cutting it anywhere, and a second level would only wait.
  expect(names(foldLevels(DIAMOND, 2))).toEqual([['top a b c end']]);
  const twice = [...DIAMOND, node('later', ['end'], 10), node('beside', ['end'], 10)];
  expect(names(foldLevels(twice, 2))).toEqual([['top a b c end'], ['beside', 'later']]);
  expect(names(foldLevels(DIAMOND, 1))).toEqual([['top a b c end']]);
  expect(foldLevels([], 4)).toEqual([]);
});

test('too many groups are packed by how long they take, and the order inside stays', () => {
  const groups = [[node('c', [], 5)], [node('a', [], 9), node('z', ['a'], 1)], [node('b', [], 3)], [node('d', [], 3)]];
  expect(names([packGroups(groups, 2)])).toEqual([['a z', 'b c d']]);
  expect(names([packGroups(groups, 9)])).toEqual([['a z', 'b', 'c', 'd']]);
});

/** Graphs without circles: a node needs only nodes before it. */
const graphs = fc
  .array(fc.record({ ms: fc.integer({ min: 1, max: 9 }), picks: fc.array(fc.nat({ max: 99 }), { maxLength: 3 }) }), {
    maxLength: 24,
  })
  .map((list) =>
    list.map(({ ms, picks }, at): Weighted => {
      const needs = at === 0 ? [] : picks.map((pick) => `n${pick % at}`);
      return { name: `n${at}`, needs: [...new Set(needs)], ms };
    }),
  );

test('each node is in one group, after all that it needs, and groups of a level need nothing of each other', () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), (nodes, most, shards) => {
      const levels = foldLevels(nodes, most).map((groups) => packGroups(groups, shards));
      expect(levels.length).toBeLessThanOrEqual(most);
      const done = new Set<string>();
      for (const groups of levels) {
        expect(groups.length).toBeGreaterThan(0);
        expect(groups.length).toBeLessThanOrEqual(shards);
        const before = new Set(done);
        for (const group of groups) {
          const inside = new Set<string>();
          for (const { name, needs } of group) {
            for (const need of needs) expect(before.has(need) || inside.has(need)).toBe(true);
            inside.add(name);
            expect(done.has(name)).toBe(false);
            done.add(name);
          }
        }
      }
      expect(done.size).toBe(nodes.length);
      expect(foldLevels([...nodes].reverse(), most)).toEqual(foldLevels(nodes, most));
    }),
  );
});

test('no other folding takes less time', () => {
  const cost = (levels: readonly (readonly (readonly Weighted[])[])[]): number =>
    levels.reduce(
      (sum, groups) => sum + Math.max(...groups.map((group) => group.reduce((total, { ms }) => total + ms, 0))),
      0,
    );
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 3 }), (nodes, most) => {
      const levels = levelsOf(nodes);
      const mine = cost(foldLevels(nodes, most));
      // Every way to cut the levels into `most` runs; what is connected in a run is found by folding it into one.
      const cuts = (from: number, left: number): number[][] =>
        from === levels.length
          ? [[]]
          : left === 0
            ? []
            : levels
                .slice(from)
                .flatMap((_, at) => cuts(from + at + 1, left - 1).map((rest) => [from + at + 1, ...rest]));
      for (const ends of cuts(0, most)) {
        const runs = ends.map((end, at) => foldLevels(levels.slice(ends[at - 1] ?? 0, end).flat(), 1)[0] ?? []);
        expect(mine).toBeLessThanOrEqual(cost(runs));
      }
    }),
    { numRuns: 50 },
  );
});
