import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, SluiceError, toErrorWire } from '@sluice/engine';
import { type CiRun, readCiRun } from './ci-run.js';
import { branchForLocks, commitLocks, type LockOutcome } from './commit-locks.js';
import type { Host } from './host.js';
import { type Inputs, parseInputs } from './inputs.js';
import { listen } from './interruption.js';
import { lockChanged } from './lock-changed.js';
import { noRemoteNotice } from './no-remote-notice.js';
import { openWorkspace, workspaceRoots } from './open-workspace.js';
import { makeReport, outputsOf, type Report } from './report.js';
import { reviewText } from './review-text.js';
import { type Standing, standingOf } from './standing.js';
import { saveFinished, saveRoots } from './state.js';
import { summaryOf } from './summary.js';
import { tellFailure } from './tell-failure.js';
import { tellReview } from './tell-review.js';
import { temporary } from './temporary.js';
import { versionWarning } from './version-warning.js';
import { tellWarnings, type WorkflowCommands, workflowCommands } from './workflow-commands.js';
import { runWorkspace, type WorkspaceRun } from './workspace-run.js';

/** How the action was called. */
export interface Mode {
  /** The action in `restore/`: nothing is written to a remote, whatever the inputs say. */
  readonly readOnly: boolean;
}

/**
 * The main step: restores what is known, runs what is not, sends what is new, and tells what it did. Returns the exit code. What a signal leaves undone is left for the
 * post step. Never throws.
 */
export async function runMain(host: Host, mode: Mode): Promise<number> {
  const commands = workflowCommands(host);
  const interruption = listen(host);
  const scratch = mkdtempSync(join(temporary(host), 'sluice-'));
  try {
    const inputs = parseInputs(host.env);
    // A secret of several keys is known to the runner as one text only.
    for (const key of keysIn(host.env)) commands.mask(key);
    // A token that is no secret of the repository is known to nobody else who could keep it out of the log.
    for (const token of [inputs.lockToken, inputs.commentToken]) if (token !== undefined) commands.mask(token);
    const run = readCiRun(host.env);
    const standing = limit(standingOf(run), inputs, mode);
    const lockBranch = branchForLocks(run, standing, inputs);
    return await runStep(host, { inputs, commands, scratch, run, standing, lockBranch }, interruption.signal);
  } catch (error) {
    tellFailure(commands, host, error);
    return 1;
  } finally {
    interruption.end();
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
  readonly run: CiRun;
  readonly standing: Standing;
  /** Where locks are committed; `undefined` if they are not. */
  readonly lockBranch: string | undefined;
}

async function runStep(host: Host, step: Step, interruption: AbortSignal): Promise<number> {
  const { inputs, commands, scratch, run, standing } = step;
  const startedAt = new Date();
  const startedMs = performance.now();
  const roots = workspaceRoots(host, inputs);
  saveRoots(commands, roots);
  host.write(`${standing.why}\n`);
  const warnings = new Set<string>();
  const runs: WorkspaceRun[] = [];
  const withoutRemote: string[] = [];
  let locks: LockOutcome | undefined;
  for (const [at, root] of roots.entries()) {
    if (interruption.aborted) break;
    const notesDir = join(scratch, 'notes', String(at));
    mkdirSync(notesDir, { recursive: true });
    const { engine, remote } = await openWorkspace(host, root, inputs, standing, warnings, interruption);
    try {
      if (engine.remotes().length === 0) withoutRemote.push(root);
      const { pullRequest } = run;
      const mask = commands.mask;
      const options = { host, inputs, standing, root, remote, pullRequest, notesDir, interruption, mask };
      const done = await runWorkspace(engine, options);
      runs.push(done);
      if (step.lockBranch !== undefined) locks = await commitLocks(engine, host, done, inputs, step.lockBranch);
    } finally {
      await engine.close();
    }
  }
  const isPushing = standing.mayWrite && runs.some(({ pushed }) => pushed !== undefined);
  const changed = roots.some((root) => lockChanged(host, root));
  const report = makeReport(runs, {
    startedAt,
    ms: performance.now() - startedMs,
    standing,
    isPushing,
    lockChanged: changed,
  });
  const review = reviewText(runs, host.cwd);
  publish(host, step, report, review);
  const untold = interruption.aborted ? undefined : await tellReview(host, step, review, interruption);
  const problems = runs.flatMap(({ pushed }) => pushed?.problems ?? []);
  tellWarnings(commands, [
    ...warnings,
    ...roots.flatMap((root) => versionWarning(root) ?? []),
    ...problems.map(({ code, message }) => `not everything was pushed: ${code}: ${message}`),
    ...(untold === undefined ? [] : [`the review could not be kept as a comment: ${untold}`]),
  ]);
  const notice = noRemoteNotice(withoutRemote, host.cwd, standing, run);
  if (notice !== undefined) commands.annotate('notice', notice);
  const exitCode = Math.max(exitCodeOf(runs, inputs, problems, warnings), tellLocks(commands, locks));
  // What could not be sent is tried again by the post step.
  if (!interruption.aborted && problems.length === 0) saveFinished(commands);
  return exitCode;
}

/** Says what became of the locks. Returns the exit code that they ask for. */
function tellLocks(commands: WorkflowCommands, locks: LockOutcome | undefined): number {
  if (locks === undefined) return 0;
  commands.setOutput('lock-commit', locks.commit ?? '');
  commands.setOutput('lock-pull-request', locks.pullRequest ?? '');
  for (const notice of locks.notices) commands.annotate('notice', notice);
  if (locks.error !== undefined) commands.annotate('error', errorText(toErrorWire(locks.error)));
  return locks.error === undefined ? 0 : 1;
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

function publish(host: Host, { commands, inputs, scratch }: Step, report: Report, review: string | undefined): void {
  const path = join(scratch, 'report.json');
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  for (const [name, value] of Object.entries(outputsOf(report, path))) commands.setOutput(name, value);
  commands.setOutput('review', review ?? '');
  const isWanted = inputs.summary === 'always' || (inputs.summary === 'on-change' && report.changedStages.length > 0);
  if (isWanted) commands.addSummary(summaryOf(report, host.cwd, review));
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
