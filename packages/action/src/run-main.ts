import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '@sluice/engine';
import { readCiRun } from './ci-run.js';
import type { Host } from './host.js';
import { type Inputs, parseInputs } from './inputs.js';
import { lockChanged } from './lock-changed.js';
import { openWorkspace, workspaceRoots } from './open-workspace.js';
import { makeReport, outputsOf, type Report } from './report.js';
import { type Standing, standingOf } from './standing.js';
import { saveFinished, saveRoots } from './state.js';
import { summaryOf } from './summary.js';
import { tellFailure } from './tell-failure.js';
import { type WorkflowCommands, workflowCommands } from './workflow-commands.js';
import { runWorkspace, type WorkspaceRun } from './workspace-run.js';

/** How the action was called. */
export interface Mode {
  /** The action in `restore/`: nothing is written to a remote, whatever the inputs say. */
  readonly readOnly: boolean;
}

/** Warnings that are shown; the log of the runner has room for ten. */
const MOST_WARNINGS = 4;

/**
 * The main step: restores what is known, runs what is not, sends what is new, and tells what it did. Returns the exit code. What a signal leaves undone is left for the
 * post step. Never throws.
 */
export async function runMain(host: Host, mode: Mode): Promise<number> {
  const commands = workflowCommands(host);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) host.signals.on(name, interrupt);
  const scratch = mkdtempSync(join(temporary(host), 'sluice-'));
  try {
    const inputs = parseInputs(host.env);
    // A secret of several keys is known to the runner as one text only.
    for (const key of keysIn(host.env)) commands.mask(key);
    return await runStep(
      host,
      { inputs, commands, scratch, standing: limit(standingOf(readCiRun(host.env)), inputs, mode) },
      interruption.signal,
    );
  } catch (error) {
    tellFailure(commands, host, error);
    return 1;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) host.signals.off(name, interrupt);
    rmSync(join(scratch, 'notes'), { recursive: true, force: true });
  }
}

function keysIn({ SLUICE_SIGNING_KEY: keys = '' }: Host['env']): string[] {
  return keys.split(/[\s,]+/).filter((key) => key !== '');
}

interface Step {
  readonly inputs: Inputs;
  readonly commands: WorkflowCommands;
  /** For files that outlive the step, but not the job. */
  readonly scratch: string;
  readonly standing: Standing;
}

async function runStep(host: Host, step: Step, interruption: AbortSignal): Promise<number> {
  const { inputs, commands, scratch, standing } = step;
  const startedAt = new Date();
  const startedMs = performance.now();
  const roots = workspaceRoots(host, inputs);
  saveRoots(commands, roots);
  host.write(`${standing.why}\n`);
  const warnings = new Set<string>();
  const runs: WorkspaceRun[] = [];
  for (const [at, root] of roots.entries()) {
    if (interruption.aborted) break;
    const notesDir = join(scratch, 'notes', String(at));
    mkdirSync(notesDir, { recursive: true });
    const { engine, remote } = await openWorkspace(host, root, inputs, standing, warnings, interruption);
    try {
      runs.push(
        await runWorkspace(engine, {
          host,
          inputs,
          standing,
          root,
          remote,
          notesDir,
          interruption,
          mask: commands.mask,
        }),
      );
    } finally {
      await engine.close();
    }
  }
  const isPushing = standing.mayWrite && runs.some(({ pushed }) => pushed !== undefined);
  const changed = roots.some(lockChanged);
  const report = makeReport(runs, {
    startedAt,
    ms: performance.now() - startedMs,
    standing,
    isPushing,
    lockChanged: changed,
  });
  publish(host, step, report);
  const problems = runs.flatMap(({ pushed }) => pushed?.problems ?? []);
  tellWarnings(commands, [
    ...warnings,
    ...problems.map(({ code, message }) => `not everything was pushed: ${code}: ${message}`),
  ]);
  const exitCode = exitCodeOf(runs, inputs, problems, warnings);
  // What could not be sent is tried again by the post step.
  if (!interruption.aborted && problems.length === 0) saveFinished(commands);
  return exitCode;
}

/** A step that must not write reads as much as it may. */
function limit(standing: Standing, inputs: Inputs, mode: Mode): Standing {
  if (mode.readOnly) return { ...standing, mayWrite: false, why: 'This action only reads.' };
  if (inputs.push === 'never') return { ...standing, mayWrite: false, why: 'The step says that nothing is pushed.' };
  if (inputs.push === 'always' && !standing.mayWrite)
    throw new SluiceError('ERR_USAGE', `input push: "always" is not possible here. ${standing.why}`, {
      hint: 'Leave the input away to push where a run may write.',
    });
  return standing;
}

function publish(host: Host, { commands, inputs, scratch }: Step, report: Report): void {
  const path = join(scratch, 'report.json');
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  for (const [name, value] of Object.entries(outputsOf(report, path))) commands.setOutput(name, value);
  const isWanted = inputs.summary === 'always' || (inputs.summary === 'on-change' && report.changedStages.length > 0);
  if (isWanted) commands.addSummary(summaryOf(report, host.cwd));
}

function tellWarnings(commands: WorkflowCommands, warnings: readonly string[]): void {
  for (const warning of warnings.slice(0, MOST_WARNINGS)) commands.annotate('warning', warning);
  const more = warnings.length - MOST_WARNINGS;
  if (more > 0) commands.annotate('warning', `${more} more: ${warnings.slice(MOST_WARNINGS).join('; ')}`);
}

/** Trouble with a remote fails a step only if the step says so. */
function exitCodeOf(
  runs: readonly WorkspaceRun[],
  { strict, push }: Inputs,
  problems: readonly SluiceError[],
  warnings: ReadonlySet<string>,
): number {
  const failed = runs.find(({ exitCode }) => exitCode !== 0);
  if (failed !== undefined) return 1;
  if (strict && warnings.size > 0) return 1;
  return (strict || push === 'always') && problems.length > 0 ? 1 : 0;
}

function temporary({ env }: Host): string {
  const dir = env.RUNNER_TEMP;
  return dir === undefined || dir === '' ? tmpdir() : dir;
}
