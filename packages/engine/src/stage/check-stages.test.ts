import { checkStages } from './check-stages.js';
import { defineStage } from './define.js';
import { indexOuts, producersOf } from './out-index.js';
import type { Stage } from './stage.js';

function stage(name: string, outs: string[], deps: string[] = [], params: string[] = []): Stage {
  const [project = '', target = ''] = name.split(':');
  const options = { ...(deps.length + params.length === 0 ? {} : { command: 'x', deps, params }), outs };
  return defineStage({
    project: { name: project, root: `packages/${project}` },
    target,
    executor: '@sluice/nx:stage',
    options,
  });
}

test('producers of deps', () => {
  const raw = stage('a:raw', ['data/raw']);
  const one = stage('b:one', ['data/sets/one', 'data/sets/two.csv']);
  const params = stage('c:tune', ['tuned.yaml']);
  const read = (deps: string[], files: string[] = []): unknown => {
    const reader = stage('r:read', ['elsewhere'], deps, files);
    return producersOf(reader, indexOuts([raw, one, params, reader])).map(
      ({ dep, producer, out, relation }) =>
        `${dep.kind === 'path' ? dep.path : dep.pattern} ${relation} ${producer.project} ${out}`,
    );
  };
  expect(read(['data/raw'])).toEqual(['data/raw same a data/raw']);
  expect(read(['data/raw/x/y'])).toEqual(['data/raw/x/y inside a data/raw']);
  expect(read(['data/sets'])).toEqual(['data/sets contains b data/sets/one', 'data/sets contains b data/sets/two.csv']);
  expect(read(['data/raw-not', 'dat', 'src/x'])).toEqual([]);
  expect(read(['data/raw/**'])).toEqual(['data/raw/** inside a data/raw']);
  expect(read(['data/sets/*.csv'])).toEqual(['data/sets/*.csv contains b data/sets/two.csv']);
  expect(read(['data/*/two.csv'])).toEqual([
    'data/*/two.csv contains a data/raw',
    'data/*/two.csv contains b data/sets/two.csv',
  ]);
  expect(read(['data/**/x'])).toHaveLength(3);
  expect(read(['x'], ['tuned.yaml:lr', 'tuned.yaml:n'])).toEqual(['tuned.yaml same c tuned.yaml']);
});

test('outs of two stages that meet are named with both stages', () => {
  expect(() => checkStages([stage('a:x', ['d/one']), stage('b:y', ['d/one'])])).toThrow(
    'a:x and b:y both make "d/one"',
  );
  expect(() => checkStages([stage('a:x', ['d/one/in']), stage('b:y', ['d/one'])])).toThrow(
    'a:x makes "d/one/in" inside "d/one", which b:y makes',
  );
  expect(() => checkStages([stage('a:x', ['packages/b']), stage('b:y', ['d'])])).toThrow(
    'a:x makes "packages/b", which holds the project b',
  );
  expect(() => checkStages([stage('a:x', ['d/one']), stage('b:y', ['d/one-two', 'd/on'])])).not.toThrow();
});

test('a circle is named in full', () => {
  const stages = [
    stage('c:z', ['o/c'], ['o/b/part']),
    stage('a:x', ['o/a'], ['o/c']),
    stage('b:y', ['o/b'], ['o/a', 'o/d']),
    stage('d:w', ['o/d'], ['src']),
    stage('e:v', ['o/e'], ['o/a']),
  ];
  expect(() => checkStages(stages)).toThrow('a:x -> c:z -> b:y -> a:x');
  expect(() => checkStages(stages.slice(1))).not.toThrow();
});

test('ten thousand stages in one chain are checked in well under a second', () => {
  const stages = Array.from({ length: 10_000 }, (_, at) =>
    stage(`p${at}:x`, [`o/${at}`], at === 0 ? ['src'] : [`o/${at - 1}`]),
  );
  const start = performance.now();
  checkStages(stages);
  expect(performance.now() - start).toBeLessThan(1500);
});
