import { sameStage } from '../model/merge/merge-locks.js';
import { compareUtf8 } from '../model/path.js';
import type { Reason } from '../model/reason.js';
import { adoptRecord } from '../stage/adopt-record.js';
import { needsOf } from '../stage/circle.js';
import { type Decision, decide, placeOf } from '../stage/decide.js';
import { holdStage } from '../stage/hold.js';
import { Resolver } from '../stage/resolve.js';
import { type Stage, stageName } from '../stage/stage.js';
import type { OperationContext } from './context.js';
import { decideAll } from './decide-all.js';
import { levelsOf } from './plan/levels.js';
import type { Selected } from './select.js';

/** What became of the entry of one stage in its lock. */
export interface RelockedStage {
  readonly project: string;
  readonly target: string;
  /** `left`: nobody knows a result for its inputs, or an out of it is in place with other bytes. */
  readonly outcome: 'unchanged' | 'locked' | 'left';
  /** Why it was not as its lock says. */
  readonly reasons: readonly Reason[];
}

/** What a rebuilding of locks did; sorted by project and target. */
export interface RelockReport {
  readonly stages: readonly RelockedStage[];
}

/**
 * Writes into the locks what records know for the present inputs. Outs stay where they are: in the workspace, in the store, or on a remote. A stage of which an out is in place that is not the
 * result's is left, because its lock would call it modified then.
 */
export async function relock(context: OperationContext, selected: readonly Selected[]): Promise<RelockReport> {
  const resolver = new Resolver(context);
  const byName = selected.map(({ stage }) => ({
    name: stageName(stage.id),
    needs: needsOf(stage, context.stages.outs),
    stage,
  }));
  const ordered = levelsOf(byName).flatMap((level) => level.map(({ stage }) => stage));
  const decisions = await decideAll(resolver, ordered);
  const stages: RelockedStage[] = [];
  for (const stage of ordered) {
    const decision = decisions.get(stageName(stage.id));
    if (decision !== undefined) stages.push(await relockStage(context, resolver, stage, decision));
  }
  return { stages: stages.sort((a, b) => compareUtf8(a.project, b.project) || compareUtf8(a.target, b.target)) };
}

async function relockStage(
  context: OperationContext,
  resolver: Resolver,
  stage: Stage,
  first: Decision,
): Promise<RelockedStage> {
  const told = (outcome: RelockedStage['outcome'], { reasons }: Decision): RelockedStage => ({
    ...stage.id,
    outcome,
    reasons,
  });
  if (first.kind !== 'restorable') return told(first.kind === 'unchanged' ? 'unchanged' : 'left', first);
  const held = await holdStage(context, stage, true);
  try {
    // Whoever had the stage while this process waited may have brought it up to date.
    const now = context.readLock(stage.projectRoot).stages.get(stage.id.target);
    const decision = sameStage(now, resolver.locked(stage)) ? first : await decide(new Resolver(context), stage);
    if (decision.kind === 'unchanged') return told('unchanged', decision);
    if (decision.kind !== 'restorable' || !isFree(decision)) return told('left', decision);
    await adoptRecord(context, stage, decision, async () => undefined);
    return told('locked', decision);
  } finally {
    held.release();
  }
}

/** Nothing lies in the place of any out but what belongs there. */
function isFree({ record, outs }: Decision & { readonly kind: 'restorable' }): boolean {
  return outs.every(({ out, observed }) => placeOf(observed, record.outs.get(out.path)) !== 'modified');
}
