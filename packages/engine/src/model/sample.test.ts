import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { SluiceError } from '../errors.js';
import { chooseSample, parseSample } from './sample.js';

const TEN = [...'abcdefghij'];

describe('golden choices among ten files', () => {
  test.each([
    ['range:0:4:3', ['a', 'd']],
    ['range:8:all', ['i', 'j']],
    ['range:0:-1:9', ['a', 'j']],
    ['range:9:10', ['j']],
    ['random:1/5', ['e', 'j']],
    ['group:1/5', ['e', 'j']],
    ['group:2/4', ['c', 'd', 'e', 'g', 'i', 'j']],
  ])('%s', (text, wanted) => {
    expect(chooseSample(parseSample(text), 7, TEN)).toEqual(wanted);
    expect(chooseSample(parseSample(text), 7, [...TEN].reverse())).toEqual(wanted);
  });

  // Names of one to four bytes per character: the order of UTF-8 is not that of UTF-16, and not that of any locale.
  const MANY = Array.from(
    { length: 1000 },
    (_, i) => `${['a', 'Z', 'é', '\uff5e', '\u{1f600}'][i % 5]}/${i % 7}/${i}.jpg`,
  );

  test.each([
    ['random:1/10', 0, 'bec95470129bb61e2a43d519ff6c81f20b3fa0b9cfe915387c881bb04d22ec7e'],
    ['random:1/10', 1, 'c3e92bc472e38bf60f3cb7272f25d4e88cd7f9e2fab76f54f1336c4e4f6259f5'],
    ['random:3/7', 9_007_199_254_740_991, 'ea620830f7574748b132c90ee185bc69b505b93da0767f7ba256358e01f9945c'],
    ['group:1/5', 0, 'da6e64f5dea599f3c48606035fb03806c9cd2bf7c4f98b710044b2a92e29871c'],
    ['group:2/9', 42, 'f8ec80d34c418a9cd62afbec7e08e77e8d2ffe575e8fb9376b9dce3a74b3968b'],
    ['range:0:1000:7', 0, 'cbc59bb0e7e412e366a45d8bf2f69f60724dd7118fb2c75fe0c0aca727b7bad2'],
  ])('%s with seed %d among a thousand is the same everywhere', (text, seed, digest) => {
    const chosen = chooseSample(parseSample(text), seed, MANY);
    expect(createHash('sha256').update(chosen.join('\n')).digest('hex')).toBe(digest);
  });

  test('the score is what the documentation says', () => {
    const score = (path: string): string => createHash('sha256').update(`7\n${path}`).digest('hex');
    const two = [...TEN].sort((a, b) => (score(a) < score(b) ? -1 : 1)).slice(0, 2);
    expect(chooseSample(parseSample('random:1/5'), 7, TEN)).toEqual(two.sort());
  });
});

test.each(['random:1/5', 'group:1/5'])('%s draws each of ten files about as often over 3,000 seeds', (text) => {
  const drawn = new Map(TEN.map((path) => [path, 0]));
  const sample = parseSample(text);
  for (let seed = 0; seed < 3000; seed++) {
    const chosen = chooseSample(sample, seed, TEN);
    expect(chosen).toHaveLength(2);
    for (const path of chosen) drawn.set(path, (drawn.get(path) ?? 0) + 1);
  }
  // 600 are expected; five standard deviations are 110.
  for (const count of drawn.values()) expect(Math.abs(count - 600)).toBeLessThan(110);
});

test.each([
  'random:0/5',
  'random:5/5',
  'random:6/5',
  'group:0/5',
  'group:5/5',
  'range:4:4',
  'range:5:4',
  'range:0:4:0',
  'range:0:4:4',
  'range:0',
  'random:1',
  'random:1/5 ',
  'half',
  '',
])('refuses %j', (text) => {
  expect(() => parseSample(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
});

test.each(['group:1/10', 'group:1/11', 'range:0:11', 'range:10:all'])('refuses %s of ten files', (text) => {
  expect(() => chooseSample(parseSample(text), 0, TEN)).toThrow(SluiceError);
});

test('counts by the bytes of paths, not by the order of a walk', () => {
  expect(chooseSample(parseSample('range:0:2'), 0, ['a/x', 'a-b', 'é', 'z'])).toEqual(['a-b', 'a/x']);
});

test('a sample has its size, its order and nothing twice', () => {
  const paths = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 3, maxLength: 200 });
  fc.assert(
    fc.property(paths, fc.nat(), fc.integer({ min: 2, max: 50 }), (all, seed, of) => {
      const chosen = chooseSample({ kind: 'random', amount: 1, of }, seed, all);
      expect(chosen).toHaveLength(Math.round(all.length / of));
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(chosen.every((path) => all.includes(path))).toBe(true);
    }),
  );
});
