import { compareUtf8, type RelPath } from '../model/path.js';
import { globReaches } from './glob.js';
import { type Dep, type Out, type Stage, type StageId, stageName } from './stage.js';

/** An out and the stage that makes it. */
export interface OwnedOut {
  readonly stage: Stage;
  readonly out: Out;
}

/** The outs of all stages of a workspace, one level per path segment, so that a look-up costs the depth of its path. */
export interface OutIndex {
  readonly below: Map<string, OutIndex>;
  /** More than one only in a workspace that `checkStages` refuses. */
  readonly owners: OwnedOut[];
}

/** Which stage makes (a part of) what a dep or param file reads. */
export interface Producer {
  /** The dep; a param file counts as one. */
  readonly dep: Dep;
  readonly producer: StageId;
  readonly out: RelPath;
  /** The dep is the out, lies inside it (a glob: begins in it), or contains it. */
  readonly relation: 'same' | 'inside' | 'contains';
}

/** Builds the index of all outs. */
export function indexOuts(stages: Iterable<Stage>): OutIndex {
  const index = emptyIndex();
  for (const stage of stages) for (const out of stage.outs) insert(index, { stage, out });
  return index;
}

/** Which stages make the deps and param files of `stage`, in the order of its deps, then its params, then by out path. */
export function producersOf(stage: Stage, outs: OutIndex): Producer[] {
  const files = new Set(stage.params.map(({ file }) => file));
  const deps: Dep[] = [...stage.deps, ...[...files].map((path): Dep => ({ kind: 'path', path }))];
  const own = stageName(stage.id);
  return deps.flatMap((dep) => producersOfDep(dep, outs).filter(({ producer }) => stageName(producer) !== own));
}

/** All outs at or below `index`. */
export function* outsBelow(index: OutIndex): Generator<OwnedOut> {
  yield* index.owners;
  for (const below of index.below.values()) yield* outsBelow(below);
}

function producersOfDep(dep: Dep, outs: OutIndex): Producer[] {
  const path = dep.kind === 'path' ? dep.path : dep.base;
  const found = (owned: OwnedOut, relation: Producer['relation']): Producer => {
    return { dep, producer: owned.stage.id, out: owned.out.path, relation };
  };
  let at: OutIndex | undefined = outs;
  for (const segment of path === '' ? [] : path.split('/')) {
    at = at.below.get(segment);
    if (at === undefined) return [];
    // Nothing lies inside an out but the out, so the first one on the way is the only one.
    if (at.owners.length > 0) {
      const same = dep.kind === 'path' && at.owners.some(({ out }) => out.path === path);
      return at.owners.map((owned) => found(owned, same ? 'same' : 'inside'));
    }
  }
  return [...outsBelow(at)]
    .filter(({ out }) => dep.kind === 'path' || globReaches(dep, out.path))
    .sort((a, b) => compareUtf8(a.out.path, b.out.path))
    .map((owned) => found(owned, 'contains'));
}

function insert(index: OutIndex, owned: OwnedOut): void {
  let at = index;
  for (const segment of owned.out.path.split('/')) {
    const next: OutIndex = at.below.get(segment) ?? emptyIndex();
    at.below.set(segment, next);
    at = next;
  }
  at.owners.push(owned);
}

function emptyIndex(): OutIndex {
  return { below: new Map(), owners: [] };
}
