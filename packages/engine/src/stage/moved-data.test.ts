import { digestOf } from '../model/digest.js';
import type { LockedStage } from '../model/lock.js';
import { parseRelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { OutState } from './decide.js';
import { defineStage } from './define.js';
import { movedRoots } from './moved-data.js';

/** By new path, the old one. `locked`: paths of the lock; `outs`: those of the project in `new` that lie nowhere. */
function moved(locked: readonly string[], outs: readonly string[]): Record<string, string> {
  const root = (path: string): OutRoot => ({ kind: 'tree', digest: digestOf(path), exec: false, files: 1, bytes: 1 });
  const stage = defineStage({
    project: { name: 'p', root: 'new' },
    target: 'raw',
    executor: '@sluice/nx:track',
    options: { outs },
  });
  const lock: LockedStage = {
    fingerprint: undefined,
    parts: [],
    outs: new Map(locked.map((path) => [parseRelPath(path), root(path)])),
  };
  const missing = stage.outs.map((out): OutState => ({ out, root: undefined, observed: undefined, place: 'absent' }));
  return Object.fromEntries([...movedRoots(stage, lock, missing)].map(([path, { from }]) => [path, from]));
}

test('an out is known by its path below the project', () => {
  expect(moved(['old/place/data', 'old/place/more/data'], ['new/data', 'new/more/data'])).toEqual({
    'new/data': 'old/place/data',
    'new/more/data': 'old/place/more/data',
  });
  expect(moved(['data'], ['new/data'])).toEqual({ 'new/data': 'data' });
  expect(moved(['old/a', 'old/b/c'], ['new/a', 'new/b/c'])).toEqual({ 'new/a': 'old/a', 'new/b/c': 'old/b/c' });
});

test('what may be two is none', () => {
  expect(moved(['one/data', 'two/data'], ['new/data'])).toEqual({});
  expect(moved(['old/more/data'], ['new/data', 'new/more/data'])).toEqual({});
  expect(moved(['one/a', 'two/b'], ['new/a', 'new/b'])).toEqual({});
});

test('an out that got another name inside of its project is another one', () => {
  expect(moved(['new/first/data'], ['new/data'])).toEqual({});
});
