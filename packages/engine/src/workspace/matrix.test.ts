import { expandMatrix, fillMatrix, matrixProblem } from './matrix.js';

const options = {
  matrix: { seed: [1, 2], model: ['a', 'b'] },
  command: 'train --seed {matrix.seed} --model {matrix.model}',
  outs: [{ path: '{projectRoot}/m/{matrix.model}/{matrix.seed}', cache: true }],
  always: false,
};

test('one stage per combination, the last axis fastest', () => {
  const stages = expandMatrix('train', options) ?? [];
  expect(stages.map(({ target }) => target)).toEqual(['train@1-a', 'train@1-b', 'train@2-a', 'train@2-b']);
  expect(stages[1]?.options).toEqual({
    command: 'train --seed 1 --model b',
    outs: [{ path: '{projectRoot}/m/b/1', cache: true }],
    always: false,
  });
});

test('a configuration gets the values of its combination', () => {
  expect(fillMatrix(options, { command: 'fast {matrix.seed}' }, 2)).toEqual({ command: 'fast 2' });
});

test('options without a matrix are left alone', () => {
  expect(expandMatrix('train', { command: 'x' })).toBeUndefined();
  expect(matrixProblem({ command: 'x {projectRoot}' })).toBeUndefined();
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['no object', { matrix: [1] }, /no object/],
  ['no axis', { matrix: {} }, /no object/],
  ['an axis without values', { matrix: { a: [] } }, /axis a/],
  ['a value that is no name', { matrix: { a: ['x/y'] } }, /axis a/],
  ['a value that is an object', { matrix: { a: [{}] } }, /axis a/],
  ['a wrong name of an axis', { matrix: { 'a b': [1] } }, /"a b"/],
  ['one name for two stages', { matrix: { a: ['x', 'x-y'], b: ['y-z', 'z'] } }, /two stages with the name @x-y-z/],
  ['one value twice', { matrix: { a: [1, '1'] } }, /two stages/],
  [
    'too many',
    { matrix: { a: Array.from({ length: 40 }, (_, i) => i), b: Array.from({ length: 40 }, (_, i) => i) } },
    /1600/,
  ],
  ['a token of no axis', { matrix: { a: [1] }, command: 'x {matrix.b}' }, /no axis b/],
  ['a token without a matrix', { outs: ['{matrix.a}'] }, /missing/],
])('%s is a problem', (_, wrong, message) => {
  expect(matrixProblem(wrong)?.message).toMatch(message);
  expect(expandMatrix('t', wrong)).toBeUndefined();
});
