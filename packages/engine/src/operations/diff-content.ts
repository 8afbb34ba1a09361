import type { FileChange } from '../model/file-change.js';
import { type ContentDiff, compareContent, isTextName, LARGEST_COMPARED_BYTES } from './content/compare-content.js';
import type { OperationContext } from './context.js';
import type { SideName, SideOut } from './diff-sides.js';
import { readSmallFiles, type SmallFile } from './read-small.js';

/** The content of one modified file. */
export interface FileContentDiff {
  readonly path: string;
  readonly diff: ContentDiff;
}

/** An out on both sides, and how its files differ. */
export interface ComparedOut {
  readonly before: SideOut;
  readonly after: SideOut;
  readonly changes: readonly FileChange[];
}

/** So many files of an out are compared. */
const MOST_FILES = 100;

/**
 * Compares the contents of modified files that are small and of a kind that is text, CSV or JSON, and only of those; they are all that a remote is asked for. What can be had
 * nowhere is left out and told.
 */
export async function diffContents(
  context: OperationContext,
  sides: { readonly before: SideName; readonly after: SideName },
  { before, after, changes }: ComparedOut,
): Promise<FileContentDiff[]> {
  const modified = changes
    .flatMap((change) => (change.change === 'modified' ? [change] : []))
    .filter(
      ({ path, ...files }) =>
        isTextName(path === '' ? after.out.path : path) && isSmall(files.before) && isSmall(files.after),
    )
    .slice(0, MOST_FILES);
  const wanted = (out: SideOut, side: 'before' | 'after'): SmallFile[] =>
    modified.map(({ path, ...files }) => ({ out, path, digest: files[side].digest, bytes: files[side].bytes }));
  const old = await readSmallFiles(context, sides.before, wanted(before, 'before'));
  const now = await readSmallFiles(context, sides.after, wanted(after, 'after'));
  const diffs: FileContentDiff[] = [];
  for (const { path, ...files } of modified) {
    const was = old.get(files.before.digest);
    const is = now.get(files.after.digest);
    if (was === undefined || is === undefined) continue;
    diffs.push({ path, diff: await compareContent(path === '' ? after.out.path : path, was, is) });
  }
  return diffs;
}

function isSmall({ kind, bytes }: { readonly kind: string; readonly bytes: number }): boolean {
  return kind !== 'link' && bytes <= LARGEST_COMPARED_BYTES;
}
