import type { Digest } from '../model/digest.js';
import type { LockedStage } from '../model/lock.js';
import { diffParts, type Part } from '../model/parts.js';
import type { Reason } from '../model/reason.js';
import type { StageRecord } from '../model/record.js';
import { type OutRoot, sameRoot } from '../model/root.js';
import { completeness } from '../store/complete.js';
import type { Observed } from '../workspace/observe.js';
import type { Problem } from './problem.js';
import type { Resolver } from './resolve.js';
import { type Out, type Stage, stageName } from './stage.js';

/** An out as it lies in the workspace, compared with a root. */
export type Place = 'present' | 'absent' | 'partial' | 'modified';

/** An out with what lies in its place and what should. */
export interface OutState {
  readonly out: Out;
  /** The locked root; `undefined` if the lock does not name the out. */
  readonly root: OutRoot | undefined;
  readonly observed: Observed | undefined;
  readonly place: Place;
}

/** What is to be done about a stage. */
export type Decision = {
  readonly parts: readonly Part[];
  readonly fingerprint: Digest | undefined;
  readonly outs: readonly OutState[];
  readonly reasons: readonly Reason[];
} & (
  | { readonly kind: 'unchanged' | 'changed' | 'new' }
  | { readonly kind: 'restorable'; readonly record: StageRecord; readonly source: 'store' | 'remote' }
);

/** Decides about a stage by the rules of the design: lock first, then records of the store, then of a remote. Changes nothing. */
export async function decide(resolver: Resolver, stage: Stage, force = false): Promise<Decision> {
  const locked = resolver.locked(stage);
  const { parts, fingerprint, problems } = await resolver.stage(stage);
  const outs = await Promise.all(stage.outs.map((out) => outState(resolver, out, locked)));
  const base = { parts, fingerprint, outs };
  // A frozen result is the result, whatever is asked.
  if (isFrozen(stage, locked)) return { ...base, ...frozenState(stage, locked, parts, outs) };
  if (force) return { ...base, kind: 'changed', reasons: [reason('forced', '')] };
  if (stage.always) return { ...base, kind: 'changed', reasons: [reason('always', '')] };
  if (problems.length > 0)
    return { ...base, kind: locked === undefined ? 'new' : 'changed', reasons: problemReasons(problems, locked) };
  const changes = changesOf(stage, locked, parts, fingerprint);
  if (locked !== undefined && changes.length === 0) {
    const modified = outs.filter(({ place }) => place === 'modified').map(modifiedReason);
    return { ...base, kind: modified.length > 0 ? 'changed' : 'unchanged', reasons: modified };
  }
  const reasons = locked === undefined ? [reason('new', '')] : changes;
  const found = fingerprint === undefined ? undefined : await findResult(resolver, stage, fingerprint);
  if (found !== undefined) return { ...base, kind: 'restorable', reasons, ...found };
  return { ...base, kind: locked === undefined ? 'new' : 'changed', reasons };
}

/** Whether a stage has a result that it is declared to keep. */
export function isFrozen(stage: Stage, locked: LockedStage | undefined): boolean {
  return stage.frozen && (locked?.fingerprint !== undefined || locked?.merged === true);
}

function frozenState(
  stage: Stage,
  locked: LockedStage | undefined,
  parts: readonly Part[],
  outs: readonly OutState[],
): { kind: 'unchanged' | 'changed'; reasons: Reason[] } {
  const modified = outs.filter(({ place, root }) => place === 'modified' && root !== undefined).map(modifiedReason);
  const reasons = [...changesOf(stage, locked, parts, locked?.fingerprint), ...modified];
  return { kind: reasons.length > 0 ? 'changed' : 'unchanged', reasons };
}

/** How an out lies in the workspace, compared with a root. */
export function placeOf(observed: Observed | undefined, root: OutRoot | undefined): Place {
  if (observed === undefined) return 'absent';
  if (root !== undefined && observed.partOf === root.digest) return 'partial';
  return sameRoot(observed.root, root) ? 'present' : 'modified';
}

async function outState(resolver: Resolver, out: Out, locked: LockedStage | undefined): Promise<OutState> {
  const root = locked?.outs.get(out.path);
  const observed = await resolver.observed(out.path);
  return { out, root, observed, place: placeOf(observed, root) };
}

/** What differs between the lock and the declaration with its inputs; a tracked dataset has only its outs to compare. */
function changesOf(
  stage: Stage,
  locked: LockedStage | undefined,
  parts: readonly Part[],
  fingerprint: Digest | undefined,
): Reason[] {
  if (locked === undefined) return [];
  const declared = new Set<string>(stage.outs.map(({ path }) => path));
  const outs: Reason[] = [
    ...stage.outs.filter(({ path }) => !locked.outs.has(path)).map(({ path }) => reason('out', path, null, 'declared')),
    ...[...locked.outs.keys()]
      .filter((path) => !declared.has(path))
      .map((path) => reason('out', path, 'declared', null)),
  ];
  if (locked.merged === true) return [reason('merged', ''), ...outs];
  if (locked.fingerprint === fingerprint) return outs;
  return diffParts(locked.parts, parts);
}

/** A record whose data can be had: all of it here, or all of it on a remote. */
async function findResult(
  resolver: Resolver,
  stage: Stage,
  fingerprint: Digest,
): Promise<{ record: StageRecord; source: 'store' | 'remote' } | undefined> {
  const record = await resolver.record(fingerprint);
  if (record === undefined || stage.outs.some(({ path }) => !record.outs.has(path))) return undefined;
  const { reader } = resolver.context.workspace.store;
  const missing = stage.outs.flatMap(({ path, remote }) => {
    const root = record.outs.get(path);
    return root === undefined || completeness(reader, root) === 'complete' ? [] : [{ root, remote }];
  });
  if (missing.length === 0) return { record, source: 'store' };
  for (const want of missing) if (!(await resolver.context.remotes.has(want))) return undefined;
  return { record, source: 'remote' };
}

function problemReasons(problems: readonly Problem[], locked: LockedStage | undefined): Reason[] {
  const reasons = problems.map(({ name, producer, error }) => {
    if (error !== undefined) return reason('error', error.message, null, error.code);
    const before = locked?.parts.find((part) => part.kind === 'dep' && part.name === name)?.value ?? null;
    return producer === undefined
      ? reason('dep', name, before, null)
      : reason('upstream', name, before, stageName(producer));
  });
  return [...new Map(reasons.map((one) => [`${one.kind} ${one.name}`, one])).values()];
}

function modifiedReason({ out, root, observed }: OutState): Reason {
  return reason('out', out.path, root?.digest ?? null, observed?.root.digest ?? null);
}

function reason(kind: Reason['kind'], name: string, before: string | null = null, after: string | null = null): Reason {
  return { kind, name, before, after };
}
