import { type ConflictReport, formatBytes, visible } from '@sluice/engine';
import { table } from './table.js';

/** More of them are counted unless all are asked for. */
const MOST_LINES = 20;

/** A line per conflict of a merge: its selector, what happened, and the sizes on both sides. */
export function conflictLines(conflicts: readonly ConflictReport[], verbose: boolean): string[] {
  const shown = verbose ? conflicts : conflicts.slice(0, MOST_LINES);
  const rows = shown.map((conflict) => ['conflict', visible(conflict.selector), whatOf(conflict), sizesOf(conflict)]);
  const left = conflicts.length - shown.length;
  return [...table(rows), ...(left > 0 ? [`and ${left} more; --verbose lists all`] : [])];
}

function whatOf({ class: name, missing }: ConflictReport): string {
  if (missing !== null) return 'not merged: trees are missing';
  switch (name) {
    case 'both-added':
      return 'added on both sides';
    case 'both-changed':
      return 'changed on both sides';
    case 'removed-changed':
      return 'removed by us, changed by them';
    case 'changed-removed':
      return 'changed by us, removed by them';
  }
}

function sizesOf({ bytes: { base, ours, theirs } }: ConflictReport): string {
  const sides = Object.entries({ base, ours, theirs }).filter((side): side is [string, number] => side[1] !== null);
  return sides.map(([side, bytes]) => `${side} ${formatBytes(bytes)}`).join(', ');
}
