import { plural, type RelockReport, reasonsText } from '@sluice/engine';
import { table } from './table.js';

/** A line per stage whose lock was not right, and how many there are of each kind. */
export function relockText({ stages }: RelockReport): string {
  const rows = stages
    .filter(({ outcome }) => outcome !== 'unchanged')
    .map(({ project, target, outcome, reasons }) => [`${project}:${target}`, outcome, reasonsText(reasons)]);
  const counts = (['locked', 'left', 'unchanged'] as const).flatMap((wanted) => {
    const count = stages.filter(({ outcome }) => outcome === wanted).length;
    return count === 0 ? [] : [`${count} ${wanted}`];
  });
  return [...table(rows), [plural(stages.length, 'stage'), counts.join(', ')].filter(Boolean).join(': ')].join('\n');
}
