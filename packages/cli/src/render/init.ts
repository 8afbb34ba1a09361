import type { InitReport } from '@sluice/engine';

/** What `init` made, and what comes next. */
export function initText({ written }: InitReport): string {
  if (written.length === 0) return 'everything is there already';
  return [
    `wrote ${written.join(', ')}`,
    'next: give a target in project.json the executor @sluice/nx:stage (or @sluice/nx:track for data kept by hand)',
  ].join('\n');
}
