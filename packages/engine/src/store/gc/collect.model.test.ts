import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { digestFromRaw } from '../../model/digest.js';
import type { OutRoot } from '../../model/root.js';
import { TREE } from '../../model/tree.js';
import { testRoots } from '../../testing/gc-roots.js';
import { storeTree, type TestFiles } from '../../testing/store-tree.js';
import { listNames } from '../lease.js';
import { openStore, type Store } from '../store.js';
import { moveToTrash, openTrash } from '../trash.js';
import { walkTree } from '../trees.js';
import { collect } from './collect.js';
import { kindIn, takeInventory } from './inventory.js';

/** What a random sequence does; `tree` is the number of a tree in {@link TREES}. */
type Step =
  | {
      readonly do: 'write';
      readonly tree: number;
      readonly packed: boolean;
      readonly as: 'live' | 'recorded' | 'nothing';
    }
  | { readonly do: 'drop'; readonly tree: number }
  | { readonly do: 'push'; readonly tree: number }
  | { readonly do: 'collect'; readonly budgetBytes: number }
  | { readonly do: 'write while collecting'; readonly tree: number; readonly packed: boolean; readonly look: number }
  | { readonly do: 'die while collecting'; readonly share: number };

/** Trees that share files and subtrees with each other. */
const TREES: readonly TestFiles[] = Array.from({ length: 12 }, (_, t) =>
  Object.fromEntries(
    Array.from({ length: 3 + t }, (_, i) => [
      `${i % 2 === 0 ? 'a' : `b/${i % 3}`}/f${i}`,
      i % (t + 2) === 0 ? `own ${t}` : `shared ${i}`,
    ]),
  ),
);

const tree = fc.nat(TREES.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write'),
      tree,
      packed: fc.boolean(),
      as: fc.constantFrom('live', 'recorded', 'nothing'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop'), tree }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('push'), tree }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('collect'), budgetBytes: fc.constantFrom(0, 50, 1e9) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('write while collecting'),
      tree,
      packed: fc.boolean(),
      look: fc.constantFrom(1, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die while collecting'), share: fc.nat(10) }) },
);

test('any sequence of writes and collections leaves exactly what is referenced', async () => {
  const runs = Number(process.env.SLUICE_PROPERTY_RUNS ?? 40);
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), follow), { numRuns: runs });
}, 120_000);

async function follow(steps: readonly Step[]): Promise<void> {
  const dir = fs.mkdtempSync(join(os.tmpdir(), 'sluice-model-'));
  const stores = [0, 1].map(() => openStore({ dir: join(dir, 'store'), durability: 'none' }));
  const live = new Map<number, OutRoot>();
  const recorded = new Map<number, OutRoot>();
  const roots = testRoots();
  const name = (number: number, root: OutRoot, as: 'live' | 'recorded' | 'nothing'): void => {
    if (as === 'live') live.set(number, root);
    if (as === 'recorded') recorded.set(number, root);
    roots.liveRoots = [...live.values()];
    roots.recordedRoots = [...recorded.values()];
  };
  try {
    for (const [i, now] of steps.entries()) {
      const store = stores[i % 2];
      const other = stores[(i + 1) % 2];
      if (store === undefined || other === undefined) throw new Error('two stores');
      if (now.do === 'write') name(now.tree, await storeTree(store, TREES[now.tree] ?? {}, now.packed), now.as);
      if (now.do === 'drop') {
        live.delete(now.tree);
        roots.liveRoots = [...live.values()];
      }
      const pushed = now.do === 'push' ? (recorded.get(now.tree) ?? live.get(now.tree)) : undefined;
      if (pushed !== undefined) roots.onRemote.add(pushed.digest);
      if (now.do === 'die while collecting') dieInTrash(store, now.share);
      if (now.do === 'collect') {
        await collect(store, { roots, budgetBytes: now.budgetBytes });
        expectExactly(other, roots, TREES, now.budgetBytes > 1000);
      }
      if (now.do === 'write while collecting') {
        let looks = 0;
        roots.beforeLive = async () => {
          if (++looks === now.look) name(now.tree, await storeTree(other, TREES[now.tree] ?? {}, now.packed), 'live');
        };
        await collect(store, { roots });
        roots.beforeLive = () => undefined;
        // What was written while the collection ran may be there twice, or be garbage that it no longer saw.
        expectExactly(other, roots, TREES, false);
      }
    }
  } finally {
    for (const store of stores) store.close();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** A collection that was killed after it had moved some packs and objects; nothing of it is certain to be garbage. */
function dieInTrash(store: Store, share: number): void {
  const bag = openTrash(store.files, store.layout);
  const { loose, packs } = takeInventory(store);
  loose.forEach((object, i) => {
    if (i % (share + 1) === 0) moveToTrash(store.files, store.layout, bag, 'objects', object.name);
  });
  packs.forEach((pack, i) => {
    if (i % (share + 1) === 0) moveToTrash(store.files, store.layout, bag, 'packs', pack.name);
  });
  store.reader.catalog.refresh();
}

/** Everything that is named can be read and is what it was; with `exactly` nothing else is there. */
function expectExactly(
  store: Store,
  roots: ReturnType<typeof testRoots>,
  trees: readonly TestFiles[],
  exactly: boolean,
): void {
  const expected = new Set<string>();
  const kept = [...roots.liveRoots, ...roots.recordedRoots.filter(({ digest }) => !roots.onRemote.has(digest))];
  store.reader.catalog.refresh();
  for (const root of kept) {
    const files: Record<string, string> = {};
    for (const { path, raw, names, kinds, digests } of walkTree(store.reader, root.digest)) {
      expected.add(`tree ${digestFromRaw(raw)}`);
      names.forEach((name, i) => {
        if (kinds[i] === TREE) return;
        expected.add(`blob ${digestFromRaw(digests, i * 32)}`);
        files[path === '' ? name : `${path}/${name}`] = store.reader.read('blob', digests, i * 32).toString();
      });
    }
    expect(trees).toContainEqual(files);
  }
  const inventory = takeInventory(store);
  const found = new Set(inventory.loose.map(({ kind, raw }) => `${kind} ${digestFromRaw(raw)}`));
  for (const pack of inventory.packs) {
    for (let row = 0; row < pack.index.count; row++) {
      found.add(`${kindIn(pack)} ${digestFromRaw(pack.index.raw(row))}`);
    }
  }
  if (exactly) expect([...found].sort()).toEqual([...expected].sort());
  else expect([...expected].filter((object) => !found.has(object))).toEqual([]);
  expect(listNames(store.files, store.layout.trash)).toEqual([]);
}
