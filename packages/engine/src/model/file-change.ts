import type { Digest } from './digest.js';
import { compareUtf8 } from './path.js';

/** A file below a root. A link's bytes are its target. */
export interface FileState {
  readonly kind: 'file' | 'executable' | 'link';
  readonly digest: Digest;
  readonly bytes: number;
}

/** How one path differs between two roots; paths are below the root, `''` for a root that is a file. */
export type FileChange =
  | { readonly change: 'added'; readonly path: string; readonly after: FileState }
  | { readonly change: 'deleted'; readonly path: string; readonly before: FileState }
  | { readonly change: 'modified'; readonly path: string; readonly before: FileState; readonly after: FileState }
  | {
      readonly change: 'renamed';
      readonly path: string;
      readonly from: string;
      readonly before: FileState;
      readonly after: FileState;
    };

/**
 * Makes one rename of each file that vanished and one with the same bytes that appeared, in the order of the changes where several have the same bytes. Empty files are left alone:
 * they are all alike. The result is sorted by path.
 */
export function pairRenames(changes: readonly FileChange[]): FileChange[] {
  const deleted = new Map<Digest, { path: string; before: FileState }[]>();
  for (const change of changes) {
    if (change.change !== 'deleted' || change.before.bytes === 0) continue;
    const same = deleted.get(change.before.digest);
    if (same === undefined) deleted.set(change.before.digest, [change]);
    else same.push(change);
  }
  const renamed = new Set<string>();
  const paired = changes.map((change): FileChange => {
    if (change.change !== 'added') return change;
    const gone = deleted.get(change.after.digest)?.shift();
    if (gone === undefined) return change;
    renamed.add(gone.path);
    return { change: 'renamed', path: change.path, from: gone.path, before: gone.before, after: change.after };
  });
  return paired
    .filter(({ change, path }) => change !== 'deleted' || !renamed.has(path))
    .sort((a, b) => compareUtf8(a.path, b.path));
}
