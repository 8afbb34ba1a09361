import { posix } from 'node:path';
import fc from 'fast-check';
import { linkProblem } from './link.js';

function problem(path: string, target: string): string | undefined {
  return linkProblem(path, Buffer.from(target));
}

test.each([
  ['a', 'b'],
  ['a', 'b/c'],
  ['d/a', '../b'],
  ['d/e/a', '../../b'],
  ['a', '.'],
  ['d/a', '..'],
  ['a', './b//c/'],
  ['a', '...'],
  ['a', '..b'],
])('%s -> %s stays inside', (path, target) => {
  expect(problem(path, target)).toBeUndefined();
});

test.each([
  ['a', '/etc/passwd'],
  ['a', '..'],
  ['a', '../b'],
  ['d/a', '../../b'],
  ['d/a', '.././../b'],
  // Behind a name, `..` means the parent of whatever the name leads to.
  ['d/a', 'b/../c'],
  ['d/e/a', '../x/../y'],
  ['a', ''],
  ['a', 'b\0c'],
])('%s -> %j does not', (path, target) => {
  expect(problem(path, target)).toBeDefined();
});

test('a target that is not UTF-8 is refused', () => {
  expect(linkProblem('a', Buffer.from([0xff]))).toBeDefined();
});

test('what is allowed ends inside, whatever it is made of', () => {
  const part = fc.constantFrom('a', 'b', '..', '.', '', '...');
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('d', 'e'), { maxLength: 3 }),
      fc.array(part, { maxLength: 6 }),
      (dirs, target) => {
        const path = [...dirs, 'link'].join('/');
        if (problem(path, target.join('/')) !== undefined) return;
        const end = posix.normalize(posix.join('/root', ...dirs, target.join('/')));
        expect(end === '/root' || end.startsWith('/root/') || end === '/root/').toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});
