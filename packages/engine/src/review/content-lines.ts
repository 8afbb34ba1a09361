import type { ContentDiff } from '../operations/content/compare-content.js';
import { formatCount, visible } from '../text/index.js';

/** The lines that show how the contents of a file differ. */
export function contentLines(diff: ContentDiff): string[] {
  switch (diff.kind) {
    case 'binary':
      return ['(not text)'];
    case 'different':
      return ['(too different to be compared line by line)'];
    case 'text':
      return diff.patch.replace(/\n$/, '').split('\n').map(lineText);
    case 'json':
      return [
        ...diff.changes.map(({ name, before, after }) => `${visible(name)}: ${cell(before)} -> ${cell(after)}`),
        ...moreLine(diff.more),
      ];
    case 'csv':
      return [
        `rows: ${formatCount(diff.rows.added)} added, ${formatCount(diff.rows.deleted)} deleted, ${formatCount(diff.rows.modified)} modified`,
        ...diff.columns.added.map((column) => `+ column ${visible(column)}`),
        ...diff.columns.deleted.map((column) => `- column ${visible(column)}`),
        ...diff.changes.map(rowText),
        ...moreLine(diff.more),
      ];
  }
}

/** A tab is what it is in a text. */
function lineText(line: string): string {
  return line.split('\t').map(visible).join('\t');
}

function rowText(change: Extract<ContentDiff, { kind: 'csv' }>['changes'][number]): string {
  if (change.change !== 'modified') {
    return `${change.change === 'added' ? '+' : '-'} row ${change.row}: ${change.values.map(visible).join(', ')}`;
  }
  const cells = change.cells.map(
    ({ column, before, after }) => `${visible(column)}: ${cell(before)} -> ${cell(after)}`,
  );
  return `~ row ${change.row}: ${cells.join(', ')}`;
}

function cell(value: string | null): string {
  return value === null ? '(none)' : visible(value);
}

function moreLine(more: number): string[] {
  return more === 0 ? [] : [`… and ${formatCount(more)} more`];
}
