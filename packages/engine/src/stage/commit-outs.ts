import { statSync } from 'node:fs';
import { fingerprintOf, type Part } from '../model/parts.js';
import type { RelPath } from '../model/path.js';
import { type StageRecord, trackedKey } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { believesRecord } from '../remote/areas.js';
import type { Unpublished } from '../store/ingest.js';
import { writeRecord } from '../store/records.js';
import { pendingOf } from '../workspace/hash-snapshot.js';
import { type Look, look, observe, outIndexPath } from '../workspace/observe.js';
import type { Snapshot } from '../workspace/snapshot.js';
import { WHOLE, writeIndex } from '../workspace/stat-index.js';
import { type ObjectCount, storeSnapshot } from '../workspace/store-snapshot.js';
import { absolutePath } from '../workspace/workspace.js';
import type { StageContext } from './context.js';
import { updateLockFile } from './lock-file.js';
import { progress } from './progress.js';
import { type Out, type Stage, stageName } from './stage.js';

/** What is committed besides the outs. */
export interface CommitInput {
  /** Empty for a tracked dataset. */
  readonly parts: readonly Part[];
  /** How long the run took. */
  readonly ms: number;
  /** Whether the result may be restored by its fingerprint. */
  readonly record: boolean;
  /** What was seen of the outs a moment ago, by path; the others are looked at. */
  readonly looked?: ReadonlyMap<RelPath, Look>;
  /** Roots of outs that are not in place, or only in part: they stay as the lock has them. */
  readonly referred?: ReadonlyMap<RelPath, OutRoot>;
  /** May refuse an out by throwing, before anything is published. */
  readonly check?: (out: Out, root: OutRoot, snapshot: Snapshot) => void;
  /** Called when everything is durable and before the lock says so. */
  readonly beforeLock?: () => void | Promise<void>;
}

/** What a commit did. */
export interface CommitResult {
  readonly outs: ReadonlyMap<RelPath, OutRoot>;
  readonly fresh: ObjectCount;
  readonly reused: ObjectCount;
}

/** An out that is kept in git is stored all the same up to this size, so that a restore is whole. */
const GIT_OUT_BYTES = 1024 * 1024;

/**
 * Takes the outs of a stage, as they lie in the workspace, into the store and the lock, in the order objects, record, lock. The caller holds the
 * stage's lease and has seen that all outs are there. Throws like `observe`, and like `parseLock` before anything was written to the lock.
 */
export async function commitOuts(context: StageContext, stage: Stage, input: CommitInput): Promise<CommitResult> {
  const { workspace } = context;
  return workspace.store.write(async (session) => {
    const outs = new Map<RelPath, OutRoot>();
    const fresh = { objects: 0, bytes: 0 };
    const reused = { objects: 0, bytes: 0 };
    const unpublished: Unpublished[] = [];
    const indexes: (readonly [RelPath, Snapshot])[] = [];
    for (const out of stage.outs) {
      const referred = input.referred?.get(out.path);
      if (referred !== undefined) {
        outs.set(out.path, referred);
        continue;
      }
      if (!out.cache && !isSmall(context, out)) {
        const observed = await observe(workspace, out.path, { as: 'out', signal: context.signal });
        if (observed !== undefined) outs.set(out.path, observed.root);
        continue;
      }
      const { snapshot, same, index } =
        input.looked?.get(out.path) ?? (await look(workspace, out.path, { as: 'out', signal: context.signal }));
      if (snapshot === undefined) continue;
      const isMarked = index?.partOf !== undefined || index?.changedPartOf !== undefined;
      const isKnown = same && pendingOf(snapshot).length === 0 && !isMarked;
      const stored = await storeSnapshot(workspace, session, out.path, snapshot, {
        bulk: workspace.bulk,
        signal: context.signal,
        beginProgress: progress(context.emit, 'hashing', out.path),
      });
      outs.set(out.path, stored.root);
      unpublished.push(...stored.unpublished);
      if (!isKnown) indexes.push([out.path, snapshot]);
      input.check?.(out, stored.root, snapshot);
      add(fresh, stored.fresh);
      add(reused, stored.reused);
    }
    session.publish(unpublished);
    for (const [path, snapshot] of indexes) writeIndex(outIndexPath(workspace, path), snapshot, WHOLE);
    if (mayRecord(context, stage, input)) keepRecord(context, stage, input, outs);
    await input.beforeLock?.();
    await updateLock(context, stage, input.parts, outs);
    return { outs, fresh, reused };
  });
}

/** Writes a stage's entry into its lock. */
export async function updateLock(
  context: StageContext,
  stage: Stage,
  parts: readonly Part[],
  outs: ReadonlyMap<RelPath, OutRoot>,
): Promise<void> {
  const fingerprint = stage.command === undefined ? undefined : fingerprintOf(parts);
  const isStage = (target: string): boolean => context.stages.get({ project: stage.id.project, target }) !== undefined;
  await updateLockFile(context.workspace, stage.projectRoot, stage.id.target, { fingerprint, parts, outs }, isStage);
}

/** A result that depends on more than its fingerprint, or would come back without a part, is not recorded. */
function mayRecord(context: StageContext, stage: Stage, input: CommitInput): boolean {
  if (!input.record || stage.always) return false;
  return stage.outs.every((out) => !out.persist && (out.cache || isSmall(context, out)));
}

function isSmall({ workspace }: StageContext, { path }: Out): boolean {
  const stat = statSync(absolutePath(workspace, path), { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= GIT_OUT_BYTES;
}

function keepRecord(
  context: StageContext,
  stage: Stage,
  input: CommitInput,
  outs: ReadonlyMap<RelPath, OutRoot>,
): void {
  const tracked = stage.command === undefined;
  const record: StageRecord = {
    fingerprint: tracked ? trackedKey(outs) : fingerprintOf(input.parts),
    tracked,
    parts: input.parts,
    outs,
    stage: stage.id,
    made: { at: context.now().toISOString(), ms: Math.round(input.ms) },
    area: context.area,
  };
  const written = writeRecord(context.workspace.store, record, (earlier) => believesRecord(context.area, earlier));
  if (written.kind !== 'different') return;
  context.emit({
    type: 'warning',
    message: `${stageName(stage.id)} made another result than at ${written.existing.made.at} from the same inputs; the record keeps the first`,
    hint: 'Fix the seed of what is random, or declare what the command reads.',
  });
}

function add(to: ObjectCount, more: ObjectCount): void {
  to.objects += more.objects;
  to.bytes += more.bytes;
}
