import { type MergeLocksReport, plural, type ResolveReport, visible } from '@sluice/engine';
import { conflictLines } from './conflicts.js';

/** What a merge of a lock came to, below the line that git prints. */
export function mergeText({ path, stages, conflicts, text, markers }: MergeLocksReport): string {
  if (text) return markers === true ? `${visible(path)} holds merge markers` : `merged ${visible(path)} as text`;
  if (conflicts.length === 0) {
    return stages.length === 0
      ? ''
      : `merged ${visible(path)}: ${stages.map(visible).join(', ')}; sluice pull brings the data`;
  }
  const next = 'next: sluice resolve --ours or --theirs, with a selector for some of them; then git add';
  return [
    ...conflictLines(conflicts, false),
    `${plural(conflicts.length, 'conflict')} in ${visible(path)}; ${next}`,
  ].join('\n');
}

/** What was resolved, and what is left. */
export function resolveText({ resolved, left, locks }: ResolveReport, verbose: boolean): string {
  const done = resolved.length === 0 ? 'nothing resolved' : `resolved ${plural(resolved.length, 'conflict')}`;
  if (left.length > 0)
    return [`${done}; ${plural(left.length, 'conflict')} left`, ...conflictLines(left, verbose)].join('\n');
  return `${done}; next: git add ${locks.map((path) => (/^[\w./-]+$/.test(path) ? path : JSON.stringify(path))).join(' ')}`;
}
