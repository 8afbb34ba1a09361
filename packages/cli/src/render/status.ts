import {
  formatBytes,
  formatCount,
  type OutStatus,
  plural,
  reasonsText,
  reasonText,
  type StageStatus,
  type StatusReport,
  visible,
} from '@sluice/engine';
import { conflictLines } from './conflicts.js';
import { nextStep } from './next-step.js';
import { table } from './table.js';

const STATES = ['unchanged', 'restorable', 'changed', 'new', 'conflict'] as const;

/** A line per stage with its state and the reasons, a line per out with where its data is, and what to do next. `verbose`: all reasons. */
export function statusText({ stages, conflicts = [] }: StatusReport, verbose: boolean): string {
  if (stages.length === 0) {
    return 'no stages: give a target in project.json the executor @sluice/nx:stage or @sluice/nx:track';
  }
  const heads = table(stages.map((stage) => stageRow(stage, verbose)));
  const outs = table(
    stages.flatMap((stage) => stage.outs.map(outRow)),
    '  ',
  );
  const lines: string[] = [];
  for (const [i, stage] of stages.entries()) lines.push(heads[i] ?? '', ...outs.splice(0, stage.outs.length));
  const found = conflicts.length === 0 ? [] : ['', ...conflictLines(conflicts, verbose)];
  return [...lines, ...found, '', [...countLine(stages), nextStep(stages)].join('; ')].join('\n');
}

function stageRow({ project, target, state, reasons }: StageStatus, verbose: boolean): string[] {
  return [`${project}:${target}`, state, verbose ? reasons.map(reasonText).join(', ') : reasonsText(reasons)];
}

function outRow(out: OutStatus): string[] {
  const part = out.store === 'partial' ? ` (${formatCount(out.stored.files)} of ${plural(out.files, 'file')})` : '';
  const places = [`workspace ${out.workspace}`, `store ${out.store}${part}`];
  // There is nothing yet that a remote could have.
  if (out.digest === null) return [visible(out.path), '', '', ...places];
  const size = [plural(out.files, 'file'), formatBytes(out.bytes)];
  const remotes = Object.entries(out.remote).map(([name, state]) => `${visible(name)} ${state}`);
  return [visible(out.path), ...size, ...places, ...remotes];
}

/** `4 stages: 3 unchanged, 1 changed`; nothing for a single one. */
function countLine(stages: readonly StageStatus[]): string[] {
  if (stages.length === 1) return [];
  const counts = STATES.map((state) => [state, stages.filter((stage) => stage.state === state).length] as const);
  const shown = counts.filter(([, count]) => count > 0).map(([state, count]) => `${formatCount(count)} ${state}`);
  return [`${plural(stages.length, 'stage')}: ${shown.join(', ')}`];
}
