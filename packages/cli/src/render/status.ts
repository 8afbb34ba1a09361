import { formatBytes, type OutStatus, plural, reasonsText, type StageStatus, type StatusReport } from '@sluice/engine';

/** One block per stage: its state with the reasons, then its outs; at the end what to do next. */
export function statusText({ stages }: StatusReport): string {
  if (stages.length === 0)
    return 'no stages: give a target in project.json the executor @sluice/nx:stage or @sluice/nx:track';
  const blocks = stages.map((stage) => {
    const name = `${stage.project}:${stage.target}`;
    const why = stage.reasons.length === 0 ? '' : `: ${reasonsText(stage.reasons)}`;
    return [`${name}  ${stage.state}${why}`, ...stage.outs.map((out) => `  ${outText(out)}`)].join('\n');
  });
  return [...blocks, '', nextStep(stages)].join('\n');
}

function outText(out: OutStatus): string {
  const remotes = Object.entries(out.remote).map(([name, state]) => `${name} ${state}`);
  const places = [`workspace ${out.workspace}`, `store ${out.store}`, ...remotes].join(', ');
  const size = out.digest === null ? 'no version yet' : `${plural(out.files, 'file')}, ${formatBytes(out.bytes)}`;
  return `${out.path}  ${size}  (${places})`;
}

/** The most useful thing to do now, as a command. */
function nextStep(stages: readonly StageStatus[]): string {
  const named = (state: StageStatus['state']): StageStatus | undefined => stages.find((stage) => stage.state === state);
  const first = named('changed') ?? named('new');
  const unpushed = stages.flatMap(({ outs }) => outs).filter(({ remote }) => Object.values(remote).includes('absent'));
  if (first !== undefined) {
    const name = `${first.project}:${first.target}`;
    const byHand = first.reasons.every(({ kind }) => kind === 'out' || kind === 'new');
    return byHand
      ? `next: npx nx run ${name}, or npx sluice commit ${name} for data kept by hand`
      : `next: npx nx run ${name}`;
  }
  if (named('restorable') !== undefined) return 'next: npx nx run-many restores what is known by its inputs';
  if (unpushed.length > 0) {
    const files = unpushed.reduce((sum, out) => sum + out.files, 0);
    const bytes = unpushed.reduce((sum, out) => sum + out.bytes, 0);
    return `${plural(files, 'file')} not pushed (${formatBytes(bytes)}); next: npx sluice push`;
  }
  const absent = stages.flatMap(({ outs }) => outs).filter(({ workspace }) => workspace === 'absent');
  if (absent.length > 0)
    return `everything is up to date; ${plural(absent.length, 'out')} reference-only (npx sluice pull brings them)`;
  return 'everything is up to date';
}
