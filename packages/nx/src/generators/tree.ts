import { lstatSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { TextFiles } from '@sluice/engine';

/**
 * What we use of Nx's `Tree`: the files of the workspace with the changes that a generator wants. Declared here, so that we need no `@nx/devkit` to run
 * (docs/adr/0008-generators-without-devkit.md). A test holds it against the type of `@nx/devkit`.
 */
export interface NxTree {
  readonly root: string;
  read(path: string, encoding: 'utf8'): string | null;
  write(path: string, content: string): void;
  exists(path: string): boolean;
  isFile(path: string): boolean;
  children(dir: string): string[];
  listChanges(): readonly { readonly path: string; readonly type: 'CREATE' | 'DELETE' | 'UPDATE' }[];
}

/** What Nx does after it has written the changes of a generator; it does not with `--dry-run`. */
export type AfterWriting = () => Promise<void>;

/** The tree as the engine reads and writes it. */
export function treeFiles(tree: NxTree): TextFiles {
  return {
    read: (path) => (tree.isFile(path) ? (tree.read(path, 'utf8') ?? undefined) : undefined),
    list: (dir) =>
      tree.children(dir).flatMap((name) => {
        const path = dir === '' ? name : `${dir}/${name}`;
        // Nx follows links, which may lead in a circle.
        if (lstatSync(join(tree.root, path), { throwIfNoEntry: false })?.isSymbolicLink() === true) return [];
        return [tree.isFile(path) ? name : `${name}/`];
      }),
    write: (path, text) => tree.write(path, text),
  };
}

/** An absolute path, or one relative to the workspace root. */
export function inWorkspace(tree: NxTree, path: string): string {
  return isAbsolute(path) ? path : join(tree.root, path);
}
