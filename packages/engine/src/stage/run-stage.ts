import { type ErrorCode, SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import type { Reason } from '../model/reason.js';
import type { OutRoot } from '../model/root.js';
import { readRunTime } from '../store/records.js';
import { reasonsText } from '../text/reasons.js';
import { ensureIgnored } from '../workspace/gitignore.js';
import { pendingOf } from '../workspace/hash-snapshot.js';
import { observedFrom } from '../workspace/observe.js';
import { adoptRecord } from './adopt-record.js';
import { bringDeps } from './bring-deps.js';
import { commitData, type DataLooks, hasUnknownFiles, lookAtData } from './commit-data.js';
import { commitOuts } from './commit-outs.js';
import type { StageContext } from './context.js';
import { type Decision, decide, isFrozen, type OutState, placeOf } from './decide.js';
import { refuseTracked } from './git-tracked.js';
import { type HeldStage, holdStage, isAtRest } from './hold.js';
import { keepAside } from './keep-aside.js';
import { movedRoots, nowhereError } from './moved-data.js';
import { refusePart } from './part-of-out.js';
import { problemError } from './problem.js';
import { Resolver } from './resolve.js';
import { restoreOuts } from './restore.js';
import { runInPlace } from './run-in-place.js';
import { type Stage, stageName } from './stage.js';

/** How a stage is asked for. */
export interface RunOptions {
  /** Run whatever the fingerprint says. */
  readonly force: boolean;
  /** `false`: `ERR_HELD` at once if another process has the stage. */
  readonly wait: boolean;
  /** Put the outs of an unchanged or restorable stage in place, since somebody reads them. `materialize` of the stage overrides it. */
  readonly materialize: boolean;
  /** Targets of its project that the same command of the host has run already: for these `force` and `always` have had their way, and only data may be missing. */
  readonly settled?: readonly string[] | undefined;
}

/** What became of a stage. */
export interface RunResult {
  readonly outcome: 'unchanged' | 'restored' | 'ran' | 'committed';
  readonly reasons: readonly Reason[];
  /** Files and bytes that were put in place or committed. */
  readonly files: number;
  readonly bytes: number;
  /** Where restored data came from: a remote's name, or `store`. */
  readonly source: string | undefined;
  /** Outs that were left where they are, in the store or on a remote. */
  readonly referenceOnly: readonly string[];
  /** Bytes that came from a remote: of outs that were restored, or of deps that were missing. */
  readonly receivedBytes: number;
  /** How long the command took that did not have to run, as its record says; 0 if it ran, or nobody knows. */
  readonly savedMs: number;
}

/**
 * Brings one stage up to date: nothing if it is unchanged, its outs from the store or a remote if they are known, its command otherwise. Throws `ERR_COMMAND_FAILED`, `ERR_UPSTREAM`, `ERR_HELD`, `ERR_INTERRUPTED` and what deciding and committing throw; the outs are then as they were.
 */
export async function runStage(context: StageContext, stage: Stage, options: RunOptions): Promise<RunResult> {
  const held = await holdStage(context, stage, options.wait);
  try {
    if (stage.command === undefined) return await track(context, stage, options);
    const resolver = new Resolver(context);
    const decision = await decideFor(resolver, stage, options);
    switch (decision.kind) {
      case 'unchanged':
        return await unchanged(context, resolver, stage, decision, options, held);
      case 'restorable':
        return await restorable(context, resolver, stage, decision, options, held);
      default:
        return await changed(context, resolver, stage, decision, held);
    }
  } finally {
    held.release();
  }
}

/**
 * The result of a stage about which nothing has to be done, found without its lease; `undefined` if there may be something to do, which {@link runStage} then finds out
 * anew. The lease is looked at last: what was seen before is then what the last owner left.
 */
export async function unchangedAtRest(
  context: StageContext,
  stage: Stage,
  options: RunOptions,
  resolver: Resolver,
): Promise<RunResult | undefined> {
  if (stage.command === undefined) return undefined;
  const decision = await decideFor(resolver, stage, options);
  if (decision.kind !== 'unchanged') return undefined;
  const elsewhere = elsewhereOf(decision);
  if ((elsewhere.length > 0 && isWanted(stage, options)) || !isAtRest(context, stage)) return undefined;
  tell(context, stage, 'unchanged', []);
  return leftAlone(context, decision, elsewhere);
}

/** A stage that has just run need not run again because it was asked to, or is declared so. */
function decideFor(resolver: Resolver, stage: Stage, { force, settled }: RunOptions): Promise<Decision> {
  if (settled?.includes(stage.id.target) !== true) return decide(resolver, stage, force);
  return decide(resolver, { ...stage, always: false });
}

async function unchanged(
  context: StageContext,
  resolver: Resolver,
  stage: Stage,
  decision: Decision,
  options: RunOptions,
  held: HeldStage,
): Promise<RunResult> {
  const elsewhere = elsewhereOf(decision);
  tell(context, stage, 'unchanged', []);
  if (elsewhere.length === 0 || !isWanted(stage, options)) return leftAlone(context, decision, elsewhere);
  try {
    return { ...(await restore(context, stage, elsewhere, [])), savedMs: savedBy(context, decision) };
  } catch (error) {
    if (!canRunInstead(context, stage, error)) throw error;
    return await changed(context, resolver, stage, lost(decision, error), held);
  }
}

async function restorable(
  context: StageContext,
  resolver: Resolver,
  stage: Stage,
  decision: Decision & { readonly kind: 'restorable' },
  options: RunOptions,
  held: HeldStage,
): Promise<RunResult> {
  const roots = decision.record.outs;
  const outs = decision.outs.map((state): OutState => {
    const root = roots.get(state.out.path);
    return { ...state, root, place: placeOf(state.observed, root) };
  });
  // What lies there is of another result, so it cannot stay.
  const stale = outs.filter(({ place }) => place === 'modified');
  const wanted = isWanted(stage, options) ? outs.filter(({ place }) => place !== 'present') : stale;
  tell(context, stage, 'restore', decision.reasons);
  try {
    for (const { out, observed } of stale) await keepAside(context, out.path, observed);
    const restored = await adoptRecord(context, stage, decision, () =>
      restore(context, stage, wanted, decision.reasons),
    );
    const left = outs.filter(({ place, out }) => place !== 'present' && !wanted.some((state) => state.out === out));
    const referenceOnly = left.map(({ out }) => out.path);
    return { ...restored, outcome: 'restored', referenceOnly, savedMs: decision.record.made.ms };
  } catch (error) {
    if (!canRunInstead(context, stage, error)) throw error;
    return await changed(context, resolver, stage, lost(decision, error), held);
  }
}

async function changed(
  context: StageContext,
  resolver: Resolver,
  stage: Stage,
  decision: Decision,
  held: HeldStage,
): Promise<RunResult> {
  const mutable = decision.outs.filter(({ place }) => place === 'modified');
  const onlyMutable = decision.reasons.every(({ kind, after }) => kind === 'out' && after !== null);
  if (mutable.length > 0 && onlyMutable && mutable.every(({ out }) => out.mutability === 'mutable')) {
    return await commitAsIs(context, stage, decision);
  }
  if (isFrozen(stage, resolver.locked(stage))) throw frozenError(stage, decision);
  const broken = (await resolver.stage(stage)).problems.find(({ error }) => error !== undefined);
  if (broken !== undefined) throw problemError(stage, broken);
  tell(context, stage, 'run', decision.reasons);
  const { receivedBytes } = await bringDeps(context, resolver, stage);
  // Deps that were absent until now have the same digests as before; what was missing altogether has been refused.
  const resolved = await new Resolver(context).stage(stage);
  const [problem] = resolved.problems;
  if (problem !== undefined) throw problemError(stage, problem);
  for (const { out, observed, place } of decision.outs) {
    // What git keeps and nobody changed is not worth a word.
    const isKept = out.persist || (!out.cache && place === 'present');
    if (!isKept) await keepAside(context, out.path, observed);
  }
  const committed = await runInPlace(context, stage, resolved, held);
  return result('ran', { reasons: decision.reasons, ...totals(committed.outs), receivedBytes });
}

/** A dataset kept by hand: what lies there is taken, what does not lie there is put there. */
async function track(context: StageContext, stage: Stage, options: RunOptions): Promise<RunResult> {
  const looks = await lookAtData(context, stage);
  if (hasUnknownFiles(looks)) return await takeData(context, stage, looks);
  const resolver = new Resolver(context);
  for (const [path, seen] of looks) {
    if (seen.snapshot === undefined || pendingOf(seen.snapshot).length > 0) continue;
    resolver.prime(path, observedFrom(seen.snapshot, seen));
  }
  const decision = await decide(resolver, stage);
  if (decision.outs.some(({ place }) => place === 'modified')) return await takeData(context, stage, looks);
  const missing = decision.outs.filter(({ root, observed }) => root === undefined && observed === undefined);
  if (missing.length > 0) {
    await adoptMoved(context, stage, decision, missing);
    return await track(context, stage, options);
  }
  const elsewhere = decision.outs.filter(({ place }) => place !== 'present');
  tell(context, stage, 'unchanged', []);
  if (elsewhere.length === 0 || !isWanted(stage, options)) {
    return result('unchanged', { referenceOnly: elsewhere.map(({ out }) => out.path) });
  }
  return await restore(context, stage, elsewhere, []);
}

/** Data of a project that was moved without it: the lock gets to know it under its new path. */
async function adoptMoved(
  context: StageContext,
  stage: Stage,
  { outs }: Decision,
  missing: readonly OutState[],
): Promise<void> {
  const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  const moved = movedRoots(stage, locked, missing);
  const nowhere = missing.find(({ out }) => !moved.has(out.path));
  if (nowhere !== undefined) throw nowhereError(stage, locked, nowhere.out.path);
  await refuseTracked(context, stage);
  for (const { cache, path } of stage.outs) if (cache) ensureIgnored(context.workspace.root, stage.projectRoot, path);
  for (const [path, { from }] of moved) {
    context.emit({ type: 'note', message: `${stageName(stage.id)}: ${path} is what the lock had as ${from}` });
  }
  const absent = outs.filter(({ place }) => place === 'absent' || place === 'partial');
  const referred = absent.map(({ out, root }) => [out.path, root ?? moved.get(out.path)?.root] as const);
  await commitOuts(context, stage, { parts: [], ms: 0, record: true, referred: new Map(referred.filter(hasRoot)) });
}

async function takeData(context: StageContext, stage: Stage, looks: DataLooks): Promise<RunResult> {
  const absent = [...looks].find(([, { snapshot }]) => snapshot === undefined);
  if (absent !== undefined) {
    throw new SluiceError(
      'ERR_OUT_MISSING',
      `${stageName(stage.id)}: ${absent[0]} is not there, and another out of it was changed`,
      {
        hint: `Run \`sluice checkout ${stageName(stage.id)}\` to get the committed data, or put all of the data in its place.`,
      },
    );
  }
  await refuseTracked(context, stage);
  for (const { cache, path } of stage.outs) if (cache) ensureIgnored(context.workspace.root, stage.projectRoot, path);
  const { outs, reasons } = await commitData(context, stage, looks);
  tell(context, stage, reasons.length === 0 ? 'unchanged' : 'commit', reasons);
  return result(reasons.length === 0 ? 'unchanged' : 'committed', { reasons, ...totals(outs) });
}

async function commitAsIs(context: StageContext, stage: Stage, decision: Decision): Promise<RunResult> {
  for (const { out, observed, place } of decision.outs) if (place === 'modified') refusePart(stage, out.path, observed);
  tell(context, stage, 'commit', decision.reasons);
  const elsewhere = decision.outs.filter(({ place }) => place === 'absent' || place === 'partial');
  const { outs } = await commitOuts(context, stage, {
    parts: decision.parts,
    ms: 0,
    record: stage.command === undefined,
    referred: new Map(elsewhere.map(({ out, root }) => [out.path, root] as const).filter(hasRoot)),
  });
  return result('committed', { reasons: decision.reasons, ...totals(outs) });
}

async function restore(
  context: StageContext,
  stage: Stage,
  outs: readonly OutState[],
  reasons: readonly Reason[],
): Promise<RunResult> {
  const restores = outs.flatMap(({ out, root, observed }) =>
    root === undefined ? [] : [{ stage, out, root, observed }],
  );
  const { written, bytes, fetched } = await restoreOuts(context, restores);
  const source = fetched.remote ?? 'store';
  return result('restored', { reasons, files: written, bytes, source, receivedBytes: fetched.bytes });
}

/** A frozen stage never runs, so what would make it run is for a person to decide. */
function frozenError(stage: Stage, { reasons }: Decision): SluiceError {
  const name = stageName(stage.id);
  return new SluiceError('ERR_FROZEN', `${name} is frozen, but ${reasonsText(reasons)}`, {
    hint: `Run \`sluice checkout --force ${name}\` to get the locked result back, \`sluice commit --force ${name}\` to keep what lies there, or remove "frozen" to run it.`,
  });
}

function elsewhereOf({ outs }: Decision): OutState[] {
  return outs.filter(({ place }) => place !== 'present');
}

function leftAlone(context: StageContext, decision: Decision, elsewhere: readonly OutState[]): RunResult {
  const referenceOnly = elsewhere.map(({ out }) => out.path);
  return result('unchanged', { referenceOnly, savedMs: savedBy(context, decision) });
}

function savedBy(context: StageContext, { fingerprint }: Decision): number {
  return fingerprint === undefined ? 0 : readRunTime(context.workspace.store, fingerprint);
}

function isWanted(stage: Stage, { materialize }: RunOptions): boolean {
  return stage.materialize === undefined ? materialize : stage.materialize === 'eager';
}

/** Data that is nowhere, or is damaged wherever it is. */
const LOST: readonly ErrorCode[] = [
  'ERR_NOT_LOCAL',
  'ERR_OBJECT_MISSING',
  'ERR_OBJECT_DAMAGED',
  'ERR_TREE_INVALID',
  'ERR_MAP_INVALID',
];
/** Data that may well be there, behind a remote that says nothing. */
const UNREACHABLE: readonly ErrorCode[] = ['ERR_REMOTE_DOWN', 'ERR_REMOTE_DENIED'];

/** Data that cannot be had can be made again: a remote that is down makes a run slower, and fails none. A frozen stage waits until it can be reached. */
function canRunInstead(context: StageContext, stage: Stage, error: unknown): boolean {
  if (!(error instanceof SluiceError)) return false;
  if (LOST.includes(error.code)) return true;
  const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target);
  return UNREACHABLE.includes(error.code) && !isFrozen(stage, locked);
}

function lost(decision: Decision, error: unknown): Decision {
  const message = error instanceof Error ? error.message : '';
  return { ...decision, kind: 'changed', reasons: [{ kind: 'lost', name: message, before: null, after: null }] };
}

function tell(
  context: StageContext,
  stage: Stage,
  decision: 'unchanged' | 'restore' | 'run' | 'commit',
  reasons: readonly Reason[],
): void {
  context.emit({ type: 'decision', stage: stageName(stage.id), decision, reasons });
}

function totals(outs: ReadonlyMap<RelPath, OutRoot>): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const root of outs.values()) {
    files += root.files;
    bytes += root.bytes;
  }
  return { files, bytes };
}

function hasRoot<K, V>(entry: readonly [K, V | undefined]): entry is readonly [K, V] {
  return entry[1] !== undefined;
}

function result(outcome: RunResult['outcome'], rest: Partial<RunResult>): RunResult {
  const nothing = {
    reasons: [],
    files: 0,
    bytes: 0,
    source: undefined,
    referenceOnly: [],
    receivedBytes: 0,
    savedMs: 0,
  };
  return { outcome, ...nothing, ...rest };
}
