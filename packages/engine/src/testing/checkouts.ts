import fs from 'node:fs';
import { parseRelPath, type RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { realFiles } from '../store/files.js';
import { listNames } from '../store/lease.js';
import { type CheckoutCount, type CheckoutOptions, checkoutOut, checkoutPart } from '../workspace/checkout-out.js';
import { pendingOf } from '../workspace/hash-snapshot.js';
import { look, type Observed, observe } from '../workspace/observe.js';
import type { Workspace } from '../workspace/workspace.js';
import { type DiskTree, diskTree, writeTree } from './disk-tree.js';
import { storeOut, useWorkspace } from './workspace.js';

export const OUT: RelPath = parseRelPath('p/out');
export const COPY: CheckoutOptions = { how: ['copy'], readOnly: false };

/** One out of a workspace, which is put in place in the tests of a file. */
export interface Checkouts {
  workspace(): Workspace;
  at(...below: string[]): string;
  /** Makes a tree, brings it into the store and returns its root. It stays in the place of the out. */
  stored(tree: DiskTree): Promise<OutRoot>;
  seen(): Promise<Observed | undefined>;
  checkout(root: OutRoot, options?: CheckoutOptions): Promise<CheckoutCount>;
  part(root: OutRoot, filter: (path: string) => boolean): Promise<CheckoutCount>;
  remove(): void;
  /** Unfinished moves; there are none but while an out is replaced. */
  leftovers(): string[];
  /** How many files a look would read. */
  pendingCount(): Promise<number>;
}

/** A workspace of its own for each test of a file. */
export function useCheckouts(): Checkouts {
  const { workspace, at } = useWorkspace();
  const seen = (): Promise<Observed | undefined> => observe(workspace(), OUT, { as: 'out' });
  return {
    workspace,
    at,
    stored: (tree) => {
      writeTree(at(OUT), tree);
      return storeOut(workspace(), OUT);
    },
    seen,
    checkout: async (root, options = COPY) => checkoutOut(workspace(), OUT, root, (await seen())?.snapshot, options),
    part: async (root, filter) => checkoutPart(workspace(), OUT, root, (await seen())?.snapshot, filter, COPY),
    remove: () => fs.rmSync(at(OUT), { recursive: true, force: true }),
    leftovers: () => listNames(realFiles, at('.sluice/moves')),
    pendingCount: async () => {
      const { snapshot } = await look(workspace(), OUT, { as: 'out' });
      return snapshot === undefined ? 0 : pendingOf(snapshot).length;
    },
  };
}

/** Lets so much time pass that what was written before is not taken for written in the same moment. */
export async function settle(): Promise<void> {
  await new Promise((done) => setTimeout(done, 25));
}

/** The text of a file that is an object of its own. */
export const LARGE: string = 'large '.repeat(20_000);

/** A tree large enough that a few changes are few. */
export const MANY: DiskTree = diskTree({
  ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i % 4}/f${i}`, `content ${i}`])),
  'd0/e/deep': 'deep',
  large: LARGE,
  run: { kind: 'exec', content: '#!' },
  'd1/up': { kind: 'link', target: '../run' },
});

/** {@link MANY} with changes, and without some files. */
export function changed(changes: Parameters<typeof diskTree>[0], gone: readonly string[] = []): DiskTree {
  const tree = new Map([...MANY, ...diskTree(changes)]);
  for (const path of gone) tree.delete(path);
  return new Map([...tree].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}
