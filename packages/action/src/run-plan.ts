import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PlanReport, plural } from '@sluice/engine';
import { readCiRun } from './ci-run.js';
import type { Host } from './host.js';
import { listen } from './interruption.js';
import { openWorkspace, workspaceRoots } from './open-workspace.js';
import { type PlanInputs, parsePlanInputs } from './plan-inputs.js';
import { planOutputs } from './plan-outputs.js';
import { planSummary } from './plan-summary.js';
import { type Standing, standingOf } from './standing.js';
import { tellFailure } from './tell-failure.js';
import { temporary } from './temporary.js';
import { tellWarnings, type WorkflowCommands, workflowCommands } from './workflow-commands.js';
import { BrokenDeclarations } from './workspace-run.js';

/** The action `plan`: says which stages have to run, or may have to, as matrices for the jobs after it. Returns the exit code. Never throws. */
export async function runPlan(host: Host): Promise<number> {
  const commands = workflowCommands(host);
  const { signal, end } = listen(host);
  try {
    const inputs = parsePlanInputs(host.env);
    await makePlan(host, commands, inputs, signal);
    return 0;
  } catch (error) {
    tellFailure(commands, host, error);
    return 1;
  } finally {
    end();
  }
}

async function makePlan(
  host: Host,
  commands: WorkflowCommands,
  inputs: PlanInputs,
  signal: AbortSignal,
): Promise<void> {
  const [root = host.cwd] = workspaceRoots(host, inputs);
  const standing = standingOf(readCiRun(host.env));
  const warnings = new Set<string>();
  const { engine } = await openWorkspace(host, root, inputs, standing, warnings, signal);
  let plan: PlanReport;
  let why: string;
  try {
    const { problems } = await engine.declarations();
    if (problems.length > 0) throw new BrokenDeclarations(root, problems);
    const reason = whyAlone(standing, engine.remotes().length);
    why = reason ?? standing.why;
    const maxLevels = reason === undefined ? inputs.maxLevels : 1;
    plan = await engine.plan({ select: inputs.stages, shards: inputs.shards, maxLevels });
  } finally {
    await engine.close();
  }
  const path = join(mkdtempSync(join(temporary(host), 'sluice-plan-')), 'plan.json');
  writeFileSync(path, `${JSON.stringify({ schema: 1, ...plan }, undefined, 2)}\n`);
  for (const [name, value] of Object.entries(planOutputs(plan, path))) commands.setOutput(name, value);
  host.write(`${why}\n${plural(plan.stages.length + plan.unchanged, 'stage')}, ${plan.unchanged} unchanged\n`);
  for (const [at, entries] of plan.levels.entries())
    for (const entry of entries) host.write(`level ${at + 1}: ${entry.stages.join(' ')} (${entry.why})\n`);
  if (inputs.summary === 'always' || (inputs.summary === 'on-change' && plan.stages.length > 0))
    commands.addSummary(planSummary(plan, why));
  tellWarnings(commands, [...warnings]);
}

/** Why no job can go on from another one; then each has to make all that it needs. */
function whyAlone({ mayWrite, why }: Standing, remotes: number): string | undefined {
  if (remotes === 0) return 'There is no remote over which jobs could pass data on, so there is one level.';
  return mayWrite ? undefined : `${why} So no job can go on from another one, and there is one level.`;
}
