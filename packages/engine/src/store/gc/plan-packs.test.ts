import fc from 'fast-check';
import { type PackWorth, planPacks } from './plan-packs.js';

function pack(name: string, worth: Partial<PackWorth>): PackWorth {
  return {
    name,
    content: 'blobs',
    bytes: 10_000_000,
    liveBytes: 0,
    live: 0,
    dead: 0,
    redundant: 0,
    pinned: false,
    ...worth,
  };
}

test('packs without anything live go whole', () => {
  const packs = [pack('dead', { dead: 3 }), pack('empty', {}), pack('live', { live: 1, liveBytes: 10 })];
  expect(planPacks(packs, 0)).toEqual({ drop: ['dead', 'empty'], rewrite: [], left: [] });
});

test('the cheapest freed byte comes first, until the budget is used up', () => {
  const packs = [
    pack('half', { live: 1, dead: 1, liveBytes: 5_000_000 }),
    pack('most', { live: 1, dead: 1, liveBytes: 9_000_000 }),
    pack('little', { live: 1, dead: 1, liveBytes: 1_000_000 }),
  ];
  expect(planPacks(packs, 6_000_000)).toEqual({ drop: [], rewrite: ['little', 'half'], left: ['most'] });
  expect(planPacks(packs, 0)).toEqual({ drop: [], rewrite: [], left: ['little', 'half', 'most'] });
});

test('trees are rewritten whatever the budget', () => {
  const packs = [pack('trees', { content: 'trees', live: 1, dead: 1, liveBytes: 9_000_000 })];
  expect(planPacks(packs, 0).rewrite).toEqual(['trees']);
});

test('copies that have their home elsewhere are garbage too, but are checked before they go', () => {
  expect(planPacks([pack('twin', { redundant: 5 })], 0)).toEqual({ drop: [], rewrite: ['twin'], left: [] });
});

test('a pack with the only, damaged copy of something stays', () => {
  expect(planPacks([pack('pinned', { pinned: true, dead: 5 })], 1e9)).toEqual({
    drop: [],
    rewrite: [],
    left: ['pinned'],
  });
});

test('more than eight small packs of one kind are merged', () => {
  const small = (count: number, content: PackWorth['content']): PackWorth[] =>
    Array.from({ length: count }, (_, i) => pack(`${content} ${i}`, { content, bytes: 1000, live: 1, liveBytes: 900 }));
  expect(planPacks([...small(8, 'blobs'), ...small(8, 'trees')], 1e9).rewrite).toEqual([]);
  expect(planPacks([...small(9, 'blobs'), ...small(8, 'trees')], 1e9).rewrite).toHaveLength(9);
});

test('every pack with garbage is dropped, rewritten or left, and nothing is in two lists', () => {
  const worth = fc.record({
    content: fc.constantFrom('blobs' as const, 'trees' as const),
    bytes: fc.integer({ min: 100, max: 10_000_000 }),
    live: fc.nat(3),
    dead: fc.nat(3),
    redundant: fc.nat(1),
    pinned: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(worth, { maxLength: 30 }), fc.nat(10_000_000), (list, budget) => {
      const packs = list.map((one, i) => pack(String(i), { ...one, liveBytes: one.live === 0 ? 0 : one.bytes - 50 }));
      const { drop, rewrite, left } = planPacks(packs, budget);
      const all = [...drop, ...rewrite, ...left];
      expect(new Set(all).size).toBe(all.length);
      for (const { name, dead, live } of packs) {
        if (dead > 0) expect(all).toContain(name);
        if (live > 0) expect(drop).not.toContain(name);
      }
    }),
  );
});
