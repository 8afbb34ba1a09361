import { asSluiceError, type Engine, formatBytes, plural, pushFailure } from '@sluice/engine';
import { readCiRun } from './ci-run.js';
import { collect } from './collect.js';
import type { Host } from './host.js';
import { parseInputs } from './inputs.js';
import { mirrorsOf } from './mirrors.js';
import { openWorkspace } from './open-workspace.js';
import type { Mode } from './run-main.js';
import { standingOf } from './standing.js';
import { readState } from './state.js';
import { workflowCommands } from './workflow-commands.js';

/**
 * The post step: sends what a main step that was stopped has left, then collects the store. It runs after a failure and after a cancellation too. Returns the exit code,
 * which only a strict step makes 1. Never throws.
 */
export async function runPost(host: Host, mode: Mode): Promise<number> {
  const commands = workflowCommands(host);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) host.signals.on(name, interrupt);
  const lines: string[] = [];
  let isStrict = false;
  let failures = 0;
  const attempt = async (what: string, action: () => Promise<string | undefined>): Promise<void> => {
    if (interruption.signal.aborted) return;
    try {
      const done = await action();
      if (done !== undefined) lines.push(done);
    } catch (error) {
      const { code, message } = asSluiceError(error);
      failures++;
      commands.annotate('warning', `${what}: ${code}: ${message}`);
    }
  };
  try {
    const inputs = parseInputs(host.env);
    isStrict = inputs.strict;
    const { roots, isFinished } = readState(host);
    const run = readCiRun(host.env);
    const standing = standingOf(run);
    const mayPush = !isFinished && !mode.readOnly && inputs.push !== 'never' && standing.mayWrite;
    for (const root of roots) {
      const { engine } = await openWorkspace(host, root, inputs, standing, new Set(), interruption.signal);
      try {
        if (mayPush)
          await attempt('what was left could not be pushed', () => pushLeft(engine, mirrorsOf(engine, inputs)));
        await attempt('the store could not be collected', async () => {
          const done = await collect(engine, inputs.gc, run.isSelfHosted);
          return done === undefined || done.objects === 0
            ? undefined
            : `collected ${plural(done.objects, 'object')}, ${formatBytes(done.bytes)}`;
        });
      } finally {
        await engine.close();
      }
    }
  } catch (error) {
    // The main step has told what is wrong with its inputs.
    host.write(`${asSluiceError(error).message}\n`);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) host.signals.off(name, interrupt);
  }
  for (const line of lines) host.write(`${line}\n`);
  if (lines.length > 0) commands.addSummary(`Sluice, after the job: ${lines.join('; ')}`);
  return isStrict && failures > 0 ? 1 : 0;
}

/** Sends the results that are whole in the store, whichever step of this job made them. */
async function pushLeft(engine: Engine, remotes: readonly string[] | undefined): Promise<string | undefined> {
  if (engine.remotes().length === 0) return undefined;
  const select = await engine.sendable({ select: [] });
  if (select.length === 0) return undefined;
  const report = await engine.push({ select, ...(remotes === undefined ? {} : { remotes }) });
  const problem = pushFailure(report);
  if (problem !== undefined) throw problem;
  const { bytes, objects } = report;
  return objects.sent === 0
    ? undefined
    : `pushed what was left: ${plural(objects.sent, 'object')}, ${formatBytes(bytes.sent)}`;
}
