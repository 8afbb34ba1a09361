import { SluiceError } from '../errors.js';
import { trackedFilesUnder } from '../history/git.js';
import { commitOuts } from '../stage/commit-outs.js';
import { type Decision, decide } from '../stage/decide.js';
import { holdStage } from '../stage/hold.js';
import { refuseProtected } from '../stage/protect.js';
import { Resolver } from '../stage/resolve.js';
import { type Stage, stageName } from '../stage/stage.js';
import { ensureIgnored } from '../workspace/gitignore.js';
import type { OperationContext } from './context.js';
import type { CommitReport, OutReport } from './reports.js';
import type { Selected } from './select.js';

/**
 * Takes outs as they lie in the workspace into the store and the locks: those of tracked datasets, and with `force` those of stages with a command, for
 * results made by hand. Without selectors, datasets that are not in the workspace are left alone. Throws `ERR_USAGE` for a stage with a command that is
 * named without `force`, `ERR_OUT_MISSING`, `ERR_OUT_MODIFIED` for protected outs, and what reading files throws.
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
    const committed = await commitStage(context, stage, exact);
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
): Promise<Awaited<ReturnType<typeof commitOuts>> | undefined> {
  const held = await holdStage(context, stage, true);
  try {
    const resolver = new Resolver(context);
    const decision = await decide(resolver, stage);
    const absent = decision.outs.filter(({ observed }) => observed === undefined);
    if (absent.length > 0) {
      // Data that is only referred to here is as committed; there is nothing to take.
      const known = decision.outs.every(
        ({ root, place }) => root !== undefined && (place === 'absent' || place === 'present'),
      );
      if (!exact || known) return undefined;
      throw new SluiceError('ERR_OUT_MISSING', `${stageName(stage.id)}: ${absent[0]?.out.path} is not there`, {
        hint: 'Put the data in its place, or run `sluice checkout` to get the committed version.',
      });
    }
    refusePartial(stage, decision);
    refuseProtected(context.workspace.store.reader, stage, decision);
    await prepareGit(context, stage);
    const { fingerprint, problems, parts } = await resolver.stage(stage);
    if (stage.command !== undefined && fingerprint === undefined) {
      throw new SluiceError('ERR_DEP_MISSING', `${stageName(stage.id)}: the dep ${problems[0]?.name} is not there`, {
        hint: 'A result made by hand is committed together with what it was made from.',
      });
    }
    return await commitOuts(context, stage, { parts, ms: 0, record: stage.command === undefined });
  } finally {
    held.release();
  }
}

function refusePartial(stage: Stage, { outs }: Decision): void {
  const partial = outs.find(({ observed }) => observed?.partOf !== undefined);
  if (partial === undefined) return;
  throw new SluiceError(
    'ERR_OUT_MODIFIED',
    `${stageName(stage.id)}: only a part of ${partial.out.path} is in the workspace`,
    {
      hint: `Run \`sluice pull ${stageName(stage.id)}\` to get all of it, then commit again.`,
    },
  );
}

async function prepareGit({ workspace }: OperationContext, stage: Stage): Promise<void> {
  for (const { path, cache } of stage.outs) {
    if (!cache) continue;
    const [tracked] = await trackedFilesUnder(workspace.root, path);
    if (tracked !== undefined) {
      throw new SluiceError('ERR_OUT_TRACKED_BY_GIT', `${stageName(stage.id)}: git tracks ${tracked}`, {
        hint: `Run: git rm -r --cached ${JSON.stringify(path)}`,
      });
    }
    ensureIgnored(workspace.root, stage.projectRoot, path);
  }
}

function byHand(stage: Stage): SluiceError {
  const name = stageName(stage.id);
  return new SluiceError('ERR_USAGE', `${name} has a command that makes its outs`, {
    hint: `Run \`nx run ${name}\`, or \`sluice commit --force ${name}\` to take what lies there as its result.`,
  });
}
