import { rawOf } from '../digest.js';
import {
  beginsPart,
  type EncodedNode,
  encodeDirectory,
  encodeParts,
  encodeTop,
  MAX_PART_ENTRIES,
  type PartSummary,
  SPLIT_ENTRIES,
} from '../split.js';
import { columnsOf, type ListedPart } from './listing.js';
import type { TreeEntry } from './merge-entry.js';

/** An entry of a merged directory, or a part of a split one that both sides left as it was. */
export type Piece =
  | { readonly name: string; readonly entry: TreeEntry }
  | { readonly name: string; readonly part: ListedPart };

/**
 * The node of a merged directory and its parts: the same bytes that the same entries have in any other way. `pieces` are in the order of their
 * names. A part that cannot stay as it is, because another name joins it now or the directory is not split any more, is read by `expand`.
 */
export async function encodeMerged(
  pieces: readonly Piece[],
  expand: (part: ListedPart) => Promise<Iterable<readonly [string, TreeEntry]>>,
): Promise<{
  readonly top: EncodedNode;
  readonly parts: readonly EncodedNode[];
  readonly files: number;
  readonly bytes: number;
}> {
  const count = pieces.reduce((sum, piece) => sum + ('part' in piece ? piece.part.count : 1), 0);
  const whole = count < SPLIT_ENTRIES;
  const summaries: PartSummary[] = [];
  const fresh: EncodedNode[] = [];
  let run: (readonly [string, TreeEntry])[] = [];
  // At the first name, and behind a part that can hold no more, a part begins whatever its first name is.
  let begins = true;
  const endRun = (): void => {
    if (run.length === 0) return;
    const parts = encodeParts(columnsOf(run));
    for (const part of parts) fresh.push(part.node);
    summaries.push(...parts);
    run = [];
  };
  for (const [i, piece] of pieces.entries()) {
    const mayBegin = begins;
    begins = false;
    if ('entry' in piece) run.push([piece.name, piece.entry]);
    else if (!whole && mayStay(piece.part, mayBegin, pieces[i + 1]?.name)) {
      endRun();
      begins = piece.part.count === MAX_PART_ENTRIES;
      const { first, count: entries, files, size, digest } = piece.part;
      summaries.push({ raw: rawOf(digest), first, count: entries, files, size });
    } else for (const entry of await expand(piece.part)) run.push(entry);
  }
  if (whole) return encodeDirectory(columnsOf(run));
  endRun();
  const files = summaries.reduce((sum, part) => sum + part.files, 0);
  const bytes = summaries.reduce((sum, part) => sum + part.size, 0);
  return { top: encodeTop(summaries), parts: fresh, files, bytes };
}

/** Whether a part begins and ends where it does in a directory that is split anew. */
function mayStay({ first, count }: ListedPart, mayBegin: boolean, next: string | undefined): boolean {
  if (!mayBegin && !beginsPart(first)) return false;
  return next === undefined || beginsPart(next) || count === MAX_PART_ENTRIES;
}
