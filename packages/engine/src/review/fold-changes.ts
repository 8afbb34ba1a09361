import type { DiffOut } from '../operations/diff.js';

/** One file that differs. */
export interface FlatChange {
  readonly letter: 'A' | 'D' | 'M' | 'R';
  readonly path: string;
  /** Where it was before. */
  readonly from?: string;
  readonly before?: number;
  readonly after?: number;
}

/** A line of a comparison: a file, or a directory with how many files of each kind differ in it. */
export type FoldedLine =
  | { readonly kind: 'file'; readonly change: FlatChange }
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly counts: Readonly<Record<FlatChange['letter'], number>>;
      readonly before: number;
      readonly after: number;
    };

/** Lines that an out may take, as a rule. */
const BUDGET = 40;
/** So few files are shown one by one wherever they are. */
const FEW = 4;

/** All files of an out that differ, sorted as their lists are: by path within each kind. */
export function flatChanges({ added, deleted, modified, renamed }: DiffOut): FlatChange[] {
  const changes: FlatChange[] = [
    ...added.map(({ path, bytes }): FlatChange => ({ letter: 'A', path, after: bytes })),
    ...deleted.map(({ path, bytes }): FlatChange => ({ letter: 'D', path, before: bytes })),
    ...modified.map(
      ({ path, before, after }): FlatChange => ({ letter: 'M', path, before: before.bytes, after: after.bytes }),
    ),
    ...renamed.map(({ path, from, bytes }): FlatChange => ({ letter: 'R', path, from, before: bytes, after: bytes })),
  ];
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Folds directories in which many files differ into a line each, so that an out takes a screen and not thousands of lines. */
export function foldChanges(changes: readonly FlatChange[], isFull: boolean): FoldedLine[] {
  if (isFull) return changes.map((change) => ({ kind: 'file', change }));
  return fold('', changes, BUDGET);
}

function fold(directory: string, changes: readonly FlatChange[], budget: number): FoldedLine[] {
  if (changes.length <= Math.max(FEW, budget)) return changes.map((change) => ({ kind: 'file', change }));
  const below = new Map<string, FlatChange[]>();
  const direct: FlatChange[] = [];
  for (const change of changes) {
    const rest = change.path.slice(directory === '' ? 0 : directory.length + 1);
    const slash = rest.indexOf('/');
    if (slash < 0) direct.push(change);
    else {
      const name = directory === '' ? rest.slice(0, slash) : `${directory}/${rest.slice(0, slash)}`;
      const group = below.get(name);
      if (group === undefined) below.set(name, [change]);
      else group.push(change);
    }
  }
  const directLines = direct.length <= FEW ? direct.length : 1;
  if (below.size + directLines > Math.max(1, budget)) return [foldedLine(directory, changes)];
  const share = Math.floor((budget - directLines) / Math.max(1, below.size));
  return [
    ...(direct.length <= FEW
      ? direct.map((change): FoldedLine => ({ kind: 'file', change }))
      : [foldedLine(directory, direct)]),
    ...[...below].flatMap(([name, group]) => fold(name, group, share)),
  ];
}

function foldedLine(path: string, changes: readonly FlatChange[]): FoldedLine {
  const counts = { A: 0, D: 0, M: 0, R: 0 };
  let before = 0;
  let after = 0;
  for (const change of changes) {
    counts[change.letter]++;
    before += change.before ?? 0;
    after += change.after ?? 0;
  }
  return { kind: 'directory', path, counts, before, after };
}
