import { lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SluiceError } from '../errors.js';
import { diffParts } from '../model/parts.js';
import { sameRoot } from '../model/root.js';
import { ensureIgnored } from '../workspace/gitignore.js';
import { checkIgnored, finish, moveAside, moveOf, putBack } from '../workspace/moves.js';
import { absolutePath } from '../workspace/workspace.js';
import { commandFailed } from './command-failed.js';
import { type CommitResult, commitOuts } from './commit-outs.js';
import type { StageContext } from './context.js';
import { refuseTracked } from './git-tracked.js';
import type { HeldStage } from './hold.js';
import { bringCommitted, refuseProtected } from './protect.js';
import { type Resolved, Resolver } from './resolve.js';
import { runCommand } from './run-command.js';
import { runItems } from './run-items.js';
import { type Stage, stageName } from './stage.js';

/**
 * Runs a stage's command in a clean place for its outs and commits what it made. The old outs, which the store knows, are moved aside before and back
 * if the command fails, is interrupted, does not make an out, or reads a dep that changes meanwhile. What `.sluiceignore` names in them is carried over.
 */
export async function runInPlace(
  context: StageContext,
  stage: Stage,
  before: Resolved,
  held: HeldStage,
): Promise<CommitResult> {
  await refuseTracked(context, stage);
  const { root } = context.workspace;
  for (const out of stage.outs) if (out.cache) ensureIgnored(root, stage.projectRoot, out.path);
  const moves = stage.outs.filter(({ persist }) => !persist).map(({ path }) => moveOf(root, path));
  const startedMs = performance.now();
  try {
    for (const move of moves) moveAside(move);
    for (const { path } of stage.outs) mkdirSync(dirname(absolutePath(context.workspace, path)), { recursive: true });
    if (stage.foreach === undefined) await execute(context, stage, held);
    else await runItems(context, stage, { foreach: stage.foreach, before, held });
    refuseMissing(context, stage);
    for (const move of moves) checkIgnored(move);
    const { parts, stable } = await checkDeps(context, stage, before);
    const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
    await bringCommitted(context, stage, locked);
    return await commitOuts(context, stage, {
      parts,
      ms: performance.now() - startedMs,
      record: stable,
      check: (out, root, snapshot) => {
        // A run makes its outs anew, so a strict one is what the run made; one that only grows has to keep what it had.
        const earlier = locked?.outs.get(out.path);
        if (out.mutability !== 'append-only' || earlier === undefined || sameRoot(earlier, root)) return;
        refuseProtected(context.workspace.store.reader, stage, out, earlier, snapshot);
      },
      beforeLock: () => {
        for (const move of moves) finish(move);
      },
    });
  } catch (error) {
    for (const move of moves) putBack(move);
    throw error;
  }
}

async function execute(context: StageContext, stage: Stage, held: HeldStage): Promise<void> {
  const { workspace } = context;
  const name = stageName(stage.id);
  const cwd = absolutePath(workspace, stage.cwd);
  if (lstatSync(cwd, { throwIfNoEntry: false }) === undefined) {
    throw new SluiceError('ERR_STAGE_DEFINITION', `${name}: the working directory ${stage.cwd} does not exist`, {
      hint: 'Create it, or correct "cwd".',
    });
  }
  const env = { ...context.env, SLUICE_STAGE: name, SLUICE_ROOT: workspace.root };
  const result = await runCommand(
    stage.command ?? '',
    cwd,
    name,
    { ...context, env },
    (group) => held.running([group]),
    workspace.store.files,
  );
  if (result.exitCode !== 0) throw commandFailed(stage, result);
}

function refuseMissing(context: StageContext, stage: Stage): void {
  const missing = stage.outs.filter(
    ({ path }) => lstatSync(absolutePath(context.workspace, path), { throwIfNoEntry: false }) === undefined,
  );
  if (missing.length === 0) return;
  throw new SluiceError(
    'ERR_OUT_MISSING',
    `${stageName(stage.id)}: the command ended well but did not make ${missing.map(({ path }) => path).join(', ')}`,
    { hint: 'Correct the command or "outs" in the project.json of the stage. The outs are as they were before.' },
  );
}

/** A dep that changed while the command ran would file the result under a wrong name. */
async function checkDeps(
  context: StageContext,
  stage: Stage,
  before: Resolved,
): Promise<{ parts: Resolved['parts']; stable: boolean }> {
  const after = await new Resolver(context).stage(stage);
  if (after.fingerprint === before.fingerprint) return { parts: after.parts, stable: true };
  const names = diffParts(before.parts, after.parts).map(({ kind, name }) => `${kind} ${name}`);
  const error = new SluiceError(
    'ERR_DEP_CHANGED',
    `${stageName(stage.id)}: what it depends on changed while it ran (${names.join(', ')})`,
    {
      hint: 'Run it again. If the command itself changes its deps, declare them as outs, or set "onDepChange": "warn".',
    },
  );
  if (stage.onDepChange === 'fail' || after.fingerprint === undefined) throw error;
  context.emit({ type: 'warning', code: error.code, message: error.message });
  return { parts: before.parts, stable: false };
}
