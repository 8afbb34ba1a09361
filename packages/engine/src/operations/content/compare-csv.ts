import { MOST_EDITS } from './compare-text.js';

/** A row that differs. `row` counts from 1 behind the head, on the side that has it: of a deleted one before, else after. */
export type CsvRowChange =
  | { readonly change: 'added' | 'deleted'; readonly row: number; readonly values: readonly string[] }
  | {
      readonly change: 'modified';
      readonly row: number;
      readonly cells: readonly {
        readonly column: string;
        readonly before: string | null;
        readonly after: string | null;
      }[];
    };

/** How two tables differ. */
export interface CsvDiff {
  readonly columns: { readonly added: readonly string[]; readonly deleted: readonly string[] };
  readonly rows: { readonly added: number; readonly deleted: number; readonly modified: number };
  readonly changes: readonly CsvRowChange[];
}

/**
 * Compares two tables (RFC 4180) row by row; the first row holds the names of the columns. Rows that stand at the same place of a difference count as modified. `undefined` if
 * the tables have too little in common.
 */
export async function compareCsv(before: string, after: string, separator: string): Promise<CsvDiff | undefined> {
  const { diffArrays } = await import('diff');
  const [old, now] = [before, after].map((text) => parseCsv(text, separator));
  if (old === undefined || now === undefined) return undefined;
  const heads = { before: old[0] ?? [], after: now[0] ?? [] };
  const keys = [old, now].map((rows) => rows.slice(1).map((row) => JSON.stringify(row)));
  const edits = diffArrays(keys[0] ?? [], keys[1] ?? [], { maxEditLength: MOST_EDITS });
  if (edits === undefined) return undefined;
  const changes: CsvRowChange[] = [];
  let b = 1;
  let a = 1;
  for (let i = 0; i < edits.length; i++) {
    const edit = edits[i];
    if (edit === undefined) continue;
    if (!edit.removed && !edit.added) {
      b += edit.count;
      a += edit.count;
      continue;
    }
    const next = edits[i + 1];
    const removed = edit.removed ? edit.count : 0;
    const added = edit.added ? edit.count : edit.removed && next?.added === true ? next.count : 0;
    if (edit.removed && added > 0) i++;
    const both = Math.min(removed, added);
    for (let n = 0; n < both; n++) changes.push(modified(a + n, heads, old[b + n] ?? [], now[a + n] ?? []));
    for (let n = both; n < removed; n++) changes.push({ change: 'deleted', row: b + n, values: old[b + n] ?? [] });
    for (let n = both; n < added; n++) changes.push({ change: 'added', row: a + n, values: now[a + n] ?? [] });
    b += removed;
    a += added;
  }
  const countOf = (change: CsvRowChange['change']): number => changes.filter((one) => one.change === change).length;
  return {
    columns: {
      added: heads.after.filter((name) => !heads.before.includes(name)),
      deleted: heads.before.filter((name) => !heads.after.includes(name)),
    },
    rows: { added: countOf('added'), deleted: countOf('deleted'), modified: countOf('modified') },
    changes,
  };
}

function modified(
  row: number,
  heads: { readonly before: readonly string[]; readonly after: readonly string[] },
  before: readonly string[],
  after: readonly string[],
): CsvRowChange {
  const columns = [...new Set([...heads.before, ...heads.after])];
  const cell = (names: readonly string[], values: readonly string[], name: string): string | null =>
    values[names.indexOf(name)] ?? null;
  const cells = columns.map((column) => ({
    column,
    before: cell(heads.before, before, column),
    after: cell(heads.after, after, column),
  }));
  return { change: 'modified', row, cells: cells.filter((one) => one.before !== one.after) };
}

/** Rows of cells; a cell in quotes may hold separators, newlines, and quotes that are doubled. */
function parseCsv(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') cell += text[i++];
      else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === separator) {
      row.push(cell);
      cell = '';
    } else if (character === '\n') {
      rows.push([...row, cell.replace(/\r$/, '')]);
      row = [];
      cell = '';
    } else cell += character;
  }
  if (cell !== '' || row.length > 0) rows.push([...row, cell]);
  return rows;
}
