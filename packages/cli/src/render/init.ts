import { type InitReport, visible } from '@sluice/engine';

/** What `init` made, and what comes next. */
export function initText({ written, hooks }: InitReport): string {
  const made = [...written, ...(hooks?.written ?? []).map((name) => `the hook ${name}`)];
  const lines = made.length === 0 ? ['everything is there already'] : [`wrote ${made.join(', ')}`];
  for (const { hook, path, line } of hooks?.foreign ?? []) {
    lines.push(
      `the hook ${hook} is not ours, so it stays as it is; add this line to ${visible(path)}:`,
      `  ${visible(line)}`,
    );
  }
  if (written.includes('sluice.json')) {
    lines.push('next: nx g @sluice/nx:stage, or nx g @sluice/nx:dataset for data that is kept by hand');
  }
  return lines.join('\n');
}
