import { SluiceError } from '../errors.js';
import type { LockedStage } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { OutState } from './decide.js';
import { type Stage, stageName } from './stage.js';

/**
 * The versions of outs that lie nowhere and that the lock has under other paths, since it was moved together with its project: all of them below one directory, as they are below the project now.
 * Where that may be two directories nobody can tell, and there is none. What the lock has inside of the project was never moved with it.
 */
export function movedRoots(
  stage: Stage,
  locked: LockedStage | undefined,
  missing: readonly OutState[],
): Map<RelPath, { readonly from: string; readonly root: OutRoot }> {
  const left = new Map<string, OutRoot>(
    undeclared(stage, locked).filter(([path]) => pathBelow(stage.projectRoot, path) === undefined),
  );
  const belows = missing.map(({ out }) => pathBelow(stage.projectRoot, out.path));
  const [first] = belows;
  const places = [...left.keys()]
    .filter((path) => first !== undefined && `/${path}`.endsWith(`/${first}`))
    .map((path) => path.slice(0, path.length - (first?.length ?? 0)))
    .filter((place) => belows.every((below) => left.has(`${place}${below}`)));
  const [place] = places;
  if (place === undefined || places.length > 1) return new Map();
  return new Map(
    missing.flatMap(({ out }, i) => {
      const from = `${place}${belows[i]}`;
      const root = left.get(from);
      return root === undefined ? [] : [[out.path, { from, root }] as const];
    }),
  );
}

/** That data is in no place from where it could be had, and what the lock has instead. */
export function nowhereError(stage: Stage, locked: LockedStage | undefined, path: RelPath): SluiceError {
  const left = undeclared(stage, locked).map(([name]) => name);
  const known =
    left.length === 0 ? 'and no version of it was ever committed' : `and the lock has ${left.join(', ')} in its stead`;
  return new SluiceError('ERR_OUT_MISSING', `${stageName(stage.id)}: ${path} is not there ${known}`, {
    hint:
      left.length === 0
        ? 'Put the data in its place, then run this again.'
        : 'Put the data in its place, then run this again; or declare what the lock has, so that it comes back.',
  });
}

function undeclared(stage: Stage, locked: LockedStage | undefined): [RelPath, OutRoot][] {
  const declared = new Set(stage.outs.map(({ path }) => path));
  return [...(locked?.outs ?? [])].filter(([path]) => !declared.has(path));
}

function pathBelow(projectRoot: RelPath, path: RelPath): string | undefined {
  if (projectRoot === '') return path;
  return path.startsWith(`${projectRoot}/`) ? path.slice(projectRoot.length + 1) : undefined;
}
