import fs from 'node:fs';
import { join } from 'node:path';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { realFiles } from '../store/files.js';
import { openStore } from '../store/store.js';
import { createBulk } from '../workspace/bulk.js';
import { look, outIndexPath } from '../workspace/observe.js';
import { WHOLE, writeIndex } from '../workspace/stat-index.js';
import { storeSnapshot } from '../workspace/store-snapshot.js';
import type { Workspace } from '../workspace/workspace.js';
import { useTempDir } from './temp-dir.js';

/** A workspace in a directory with its store in `.sluice`, all on this thread. The caller closes the store. */
export function workspaceAt(root: string): Workspace {
  fs.mkdirSync(root, { recursive: true });
  const store = openStore({ dir: join(root, '.sluice'), durability: 'none' });
  return { root, store, bulk: createBulk(realFiles, undefined, 0), link: ['reflink', 'copy'] };
}

/** A workspace of its own for each test of a file, and the path of something in it. */
export function useWorkspace(): { readonly workspace: () => Workspace; readonly at: (...below: string[]) => string } {
  const temp = useTempDir();
  let open: Workspace | undefined;
  afterEach(() => {
    open?.store.close();
    open = undefined;
  });
  return {
    workspace: () => {
      open ??= workspaceAt(temp('ws'));
      return open;
    },
    at: (...below) => temp('ws', ...below),
  };
}

/** Brings what lies at a path into the store, as a commit does, and returns its root. */
export async function storeOut(workspace: Workspace, path: RelPath): Promise<OutRoot> {
  const { snapshot } = await look(workspace, path, { as: 'out' });
  if (snapshot === undefined) throw new Error(`nothing lies at ${path}`);
  const root = await workspace.store.write(async (session) => {
    const stored = await storeSnapshot(workspace, session, path, snapshot, { bulk: workspace.bulk });
    session.publish(stored.unpublished);
    return stored.root;
  });
  workspace.store.reader.catalog.refresh();
  writeIndex(outIndexPath(workspace, path), snapshot, WHOLE);
  return root;
}
