import type { InitReport } from '@sluice/engine';

/** What `init` made, and what comes next. */
export function initText({ written }: InitReport): string {
  if (written.length === 0) return 'everything is there already';
  return [
    `wrote ${written.join(', ')}`,
    'next: nx g @sluice/nx:stage, or nx g @sluice/nx:dataset for data that is kept by hand',
  ].join('\n');
}
