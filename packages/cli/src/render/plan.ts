import { formatBytes, type PlanReport, plural, visible } from '@sluice/engine';
import { table } from './table.js';

const WORDS = { run: 'run', 'may-run': 'may run', restore: 'restore', left: 'left' } as const;

/** Entries of a level that a person still reads. */
const MOST_ENTRIES = 20;

/** A line per stage with what would become of it and why, then the entries of each level. `verbose`: all of them, with their stages. */
export function planText({ stages, unchanged, levels }: PlanReport, verbose: boolean): string {
  const rows = stages.map(({ project, target, action, why, bytes }) => [
    `${project}:${target}`,
    WORDS[action],
    visible(why),
    bytes === 0 ? '' : `fetches ${formatBytes(bytes)}`,
  ]);
  const lists = levels.flatMap((entries, at) => {
    const shown = entries.slice(0, verbose ? entries.length : MOST_ENTRIES);
    const more = entries.length - shown.length;
    return [
      '',
      `level ${at + 1}: ${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`,
      ...shown.map((entry) => `  ${visible(verbose ? entry.stages.join(' ') : entry.name)}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ];
  });
  return [...table(rows), ...lists, ...(rows.length > 0 ? [''] : []), countLine(stages, unchanged)].join('\n');
}

/** The levels as matrices of jobs, a line each: `level-1=[{"name", "stages", "why"}]`, where `stages` has a stage on a line each. */
export function matrixLines({ levels }: PlanReport): string[] {
  return levels.map((entries, at) => {
    const matrix = entries.map(({ name, stages, why }) => ({ name, stages: stages.join('\n'), why }));
    return `level-${at + 1}=${JSON.stringify(matrix)}`;
  });
}

function countLine(stages: PlanReport['stages'], unchanged: number): string {
  const counts = Object.entries(WORDS).flatMap(([action, word]) => {
    const count = stages.filter((stage) => stage.action === action).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  const all = [...counts, ...(unchanged === 0 ? [] : [`${unchanged} unchanged`])];
  return `${plural(stages.length + unchanged, 'stage')}: ${all.join(', ') || 'none'}`;
}
