import { SluiceError } from '../errors.js';
import { sameRoot } from '../model/root.js';
import { commitData, type DataLooks, lookAtData } from '../stage/commit-data.js';
import { type CommitResult, commitOuts } from '../stage/commit-outs.js';
import { refuseTracked } from '../stage/git-tracked.js';
import { holdStage } from '../stage/hold.js';
import { refuseLookedPart } from '../stage/part-of-out.js';
import { problemError } from '../stage/problem.js';
import { bringCommitted, refuseProtected } from '../stage/protect.js';
import { Resolver } from '../stage/resolve.js';
import { type Stage, stageName } from '../stage/stage.js';
import { ensureIgnored } from '../workspace/gitignore.js';
import type { OperationContext } from './context.js';
import type { CommitReport, OutReport } from './reports.js';
import type { Selected } from './select.js';

/**
 * Takes outs as they lie in the workspace into the store and the locks: those of tracked datasets, and with `force` those of stages with a command, for
 * results made by hand. Without selectors, datasets that are not in the workspace are left alone. Throws `ERR_USAGE` for a stage with a command that is
 * named without `force`, `ERR_OUT_MISSING`, `ERR_OUT_MODIFIED` for protected outs, `ERR_OUT_PART` where only a part was put in place (of a dataset `force` takes it for all), and what reading files throws.
 */
export async function commit(
  context: OperationContext,
  selected: readonly Selected[],
  force: boolean,
): Promise<CommitReport> {
  const startedMs = performance.now();
  const stages: { project: string; target: string; outs: OutReport[] }[] = [];
  const objects = { new: 0, reused: 0 };
  const bytes = { new: 0, reused: 0 };
  for (const { stage, exact } of selected) {
    if (stage.command !== undefined && !force) {
      if (exact) throw byHand(stage);
      continue;
    }
    const committed = await commitStage(context, stage, exact, force);
    if (committed === undefined) continue;
    objects.new += committed.fresh.objects;
    objects.reused += committed.reused.objects;
    bytes.new += committed.fresh.bytes;
    bytes.reused += committed.reused.bytes;
    const outs = [...committed.outs].map(([path, root]) => ({
      path,
      digest: root.digest,
      files: root.files,
      bytes: root.bytes,
    }));
    stages.push({ ...stage.id, outs });
  }
  return { stages, objects, bytes, ms: Math.round(performance.now() - startedMs) };
}

async function commitStage(
  context: OperationContext,
  stage: Stage,
  exact: boolean,
  force: boolean,
): Promise<CommitResult | undefined> {
  const held = await holdStage(context, stage, true);
  try {
    const looks = await lookAtData(context, stage);
    const absent = [...looks].find(([, { snapshot }]) => snapshot === undefined);
    if (absent !== undefined) {
      if (!exact && [...looks.values()].every(({ snapshot }) => snapshot === undefined)) return undefined;
      throw new SluiceError('ERR_OUT_MISSING', `${stageName(stage.id)}: ${absent[0]} is not there`, {
        hint: 'Put the data in its place, or run `sluice checkout` to get the committed version.',
      });
    }
    await refuseTracked(context, stage);
    for (const { cache, path } of stage.outs) if (cache) ensureIgnored(context.workspace.root, stage.projectRoot, path);
    return stage.command === undefined
      ? await commitData(context, stage, looks, { force })
      : await commitByHand(context, stage, looks);
  } finally {
    held.release();
  }
}

/** A result that no run made has the fingerprint of its inputs in the lock, and no record. */
async function commitByHand(context: OperationContext, stage: Stage, looked: DataLooks): Promise<CommitResult> {
  for (const [path, seen] of looked) refuseLookedPart(stage, path, seen);
  const { problems, parts } = await new Resolver(context).stage(stage);
  const [problem] = problems;
  // A result made by hand is committed together with what it was made from.
  if (problem !== undefined) throw problemError(stage, problem);
  const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  await bringCommitted(context, stage, locked);
  return commitOuts(context, stage, {
    parts,
    ms: 0,
    record: false,
    looked,
    check: (out, root, snapshot) => {
      const before = locked?.outs.get(out.path);
      if (before === undefined || sameRoot(before, root)) return;
      refuseProtected(context.workspace.store.reader, stage, out, before, snapshot);
    },
  });
}

function byHand(stage: Stage): SluiceError {
  const name = stageName(stage.id);
  return new SluiceError('ERR_USAGE', `${name} has a command that makes its outs`, {
    hint: `Run \`nx run ${name}\`, or \`sluice commit --force ${name}\` to take what lies there as its result.`,
  });
}
