import fs from 'node:fs';
import { join } from 'node:path';
import { realFiles } from '../store/files.js';
import { openStore } from '../store/store.js';
import { createBulk } from '../workspace/bulk.js';
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
