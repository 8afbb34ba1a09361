import { formatBytes, type PlannedStage, type PlanReport, plural } from '@sluice/engine';
import { code, escapeMarkdown, shorten } from './summary.js';

/** Rows that a person still reads. */
const MOST_ROWS = 300;

const WORDS: Readonly<Record<PlannedStage['action'], string>> = {
  run: '🔨 has to run',
  'may-run': '🔨 may have to run',
  restore: '📦 is known',
  left: '⏭️ is left to the last job',
};

/** The summary of the action `plan` in Markdown. Names come from the repository, so nothing in them is taken for Markdown or HTML. */
export function planSummary({ stages, unchanged, levels }: PlanReport, why: string): string {
  const place = new Map(
    levels.flatMap((entries, at) => entries.flatMap((entry) => entry.stages.map((name) => [name, at + 1]))),
  );
  const rows = stages.slice(0, MOST_ROWS).map(({ project, target, action, why: reason, bytes }) => {
    const name = `${project}:${target}`;
    const cells = [
      code(name),
      WORDS[action],
      escapeMarkdown(shorten(reason)),
      place.get(name) ?? '',
      bytes === 0 ? '' : formatBytes(bytes),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const more = stages.length - rows.length;
  const table = ['| Stage | | Why | Level | Data to read |', '| --- | --- | --- | ---: | ---: |', ...rows];
  return [
    `### Sluice: a plan for ${plural(stages.length + unchanged, 'stage')}, ${unchanged} unchanged`,
    ...(rows.length === 0
      ? []
      : [[...table, ...(more > 0 ? [`| … and ${plural(more, 'more stage')} | | | | |`] : [])].join('\n')]),
    `<sub>${plural(levels.flat().length, 'job')} in ${plural(levels.length, 'level')}. ${escapeMarkdown(why)}</sub>`,
  ].join('\n\n');
}
