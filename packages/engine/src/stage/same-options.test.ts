import fc from 'fast-check';
import type { JsonObject } from '../workspace/merge-target.js';
import { defineStage } from './define.js';
import { sameOptions } from './same-options.js';

const project = { name: 'p', root: 'packages/p' };
const declared: JsonObject = {
  command: 'sh {projectRoot}/run.sh {projectName}',
  deps: ['{projectRoot}/a', '{workspaceRoot}/b'],
  outs: ['{projectRoot}/out', { path: '{projectRoot}/m.json', cache: false }],
};
/** As Nx 23 gives them to the executor. */
const prepared: JsonObject = {
  command: 'sh packages/p/run.sh p',
  deps: ['packages/p/a', 'b'],
  outs: ['packages/p/out', { path: 'packages/p/m.json', cache: false }],
  params: [],
  env: [],
  runtime: [],
  always: false,
  frozen: false,
  onDepChange: 'fail',
};

test('options with tokens replaced and defaults added are the declared ones', () => {
  expect(sameOptions(declared, prepared, project)).toBe(true);
  expect(sameOptions(declared, declared, project)).toBe(true);
});

test.each([
  ['another command', { ...prepared, command: 'sh packages/p/run.sh q' }],
  ['another default', { ...prepared, always: true }],
  ['something in a list that is empty by default', { ...prepared, env: ['SEED'] }],
  ['an option more', { ...prepared, materialize: 'lazy' }],
  ['an option less', { ...prepared, outs: undefined }],
  ['a dep more', { ...prepared, deps: ['packages/p/a', 'b', 'c'] }],
  ['the deps in another order', { ...prepared, deps: ['b', 'packages/p/a'] }],
  ['an out of another kind', { ...prepared, outs: ['packages/p/out', { path: 'packages/p/m.json', cache: true }] }],
  ['no options', undefined],
])('%s is something else', (_, options) => {
  expect(sameOptions(declared, options, project)).toBe(false);
});

test('what replaces a token may not bring another one', () => {
  const named = { name: '{projectRoot}', root: 'p' };
  expect(sameOptions({ command: '{projectName}' }, { command: '{projectRoot}' }, named)).toBe(false);
});

test('options that count as the same define the same stage', () => {
  // What is declared, and what a host makes of it, sometimes wrongly.
  const text = fc.constantFrom(
    ['{projectRoot}/x', 'packages/p/x'],
    ['{workspaceRoot}/y', 'y'],
    ['{projectName}', 'p'],
    ['z', 'z'],
    ['{unknown}', '{unknown}'],
    ['z', '{projectName}'],
  );
  const said = <T>(value: T): T[] => [value, value];
  const flag = fc.boolean().map(said);
  const list = (of: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<unknown[][]> =>
    fc.array(of, { maxLength: 2 }).map((pairs) => [0, 1].map((side) => pairs.map((pair) => pair[side])));
  const out = fc
    .record({ path: text, cache: flag, remote: text })
    .map(({ path, cache, remote }) =>
      [0, 1].map((side) => ({ path: path[side], cache: cache[side], remote: remote[side] })),
    );
  const options = fc.record(
    {
      command: text,
      deps: list(text),
      params: list(text),
      env: list(text),
      outs: list(fc.oneof(text, out)),
      cwd: text,
      always: flag,
      onDepChange: fc.constantFrom(['fail', 'fail'], ['warn', 'fail'], [undefined, 'fail']),
    },
    { requiredKeys: [] },
  );
  let same = 0;
  fc.assert(
    fc.property(options, (pairs) => {
      const [one, other] = [0, 1].map((side) =>
        Object.fromEntries(
          Object.entries(pairs).flatMap(([name, pair]) => (pair[side] === undefined ? [] : [[name, pair[side]]])),
        ),
      ) as [JsonObject, JsonObject];
      const stage = stageOf(one);
      if (stage === undefined || !sameOptions(one, other, project)) return;
      expect(stageOf(other)).toEqual(stage);
      same++;
    }),
    { numRuns: 10_000 },
  );
  expect(same).toBeGreaterThan(100);
});

function stageOf(options: unknown): unknown {
  try {
    return defineStage({ project, target: 't', executor: '@sluice/nx:stage', options });
  } catch {
    return undefined;
  }
}
