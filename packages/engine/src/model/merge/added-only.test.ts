import fc from 'fast-check';
import { type ModelTree, modelTree, nodeBox } from '../../testing/model-tree.js';
import { sortUtf8 } from '../path.js';
import { findAlterations } from './added-only.js';

async function altered(before: ModelTree, after: ModelTree | undefined): Promise<string[]> {
  const box = nodeBox();
  const [was, is] = [box.put(before), box.put(after)];
  if (was === undefined) throw new Error('there is something before');
  return (await findAlterations(was, is, box.read)).map(({ path, what }) => `${what} ${path}`);
}

function naive(before: string | ModelTree, after: string | ModelTree | undefined, path = ''): string[] {
  if (after === undefined) return [`removed ${path}`];
  if (typeof before !== 'object' || typeof after !== 'object') return before === after ? [] : [`changed ${path}`];
  return Object.keys(before).flatMap((name) =>
    naive(before[name] ?? '', after[name], path === '' ? name : `${path}/${name}`),
  );
}

test('what was added does not count', async () => {
  expect(await altered({ a: '1', d: { b: '1' } }, { a: '1', c: '2', d: { b: '1', e: { f: '1' } } })).toEqual([]);
  expect(await altered({ a: '1', d: { b: '1' } }, { a: '2', d: {} })).toEqual(['changed a', 'removed d/b']);
  expect(await altered({ a: '1', d: { b: '1' } }, { a: 'x!1' })).toEqual(['changed a', 'removed d']);
  expect(await altered({ a: '1' }, undefined)).toEqual(['removed ']);
});

test('as plain values say', async () => {
  await fc.assert(
    fc.asyncProperty(modelTree, modelTree, async (before, after) => {
      const sorted = (list: string[]): string[] => sortUtf8([...list]);
      expect(sorted(await altered(before, after))).toEqual(sorted(naive(before, after)));
      expect(await altered(before, { ...after, ...before })).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('of a large flat directory only what differs is read', async () => {
  const box = nodeBox();
  const all: Record<string, string> = {};
  for (let i = 0; i < 20_000; i++) all[`f${String(i).padStart(6, '0')}`] = '1';
  const [was, is] = [box.put(all), box.put({ ...all, f000010: '2', f019990x: '3' })];
  if (was === undefined) throw new Error('there is something before');
  expect(await findAlterations(was, is, box.read)).toEqual([{ path: 'f000010', what: 'changed' }]);
  expect(box.wanted.length).toBeLessThanOrEqual(2 + 4);
});
