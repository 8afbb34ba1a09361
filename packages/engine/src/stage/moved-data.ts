import { SluiceError } from '../errors.js';
import type { LockedStage } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { OutState } from './decide.js';
import { type Stage, stageName } from './stage.js';

/**
 * The versions of outs that lie nowhere and that the lock has under another path, since it was moved together with its project. An out is known by its path below the project;
 * where that may be two of the lock's, nobody can tell, and it is left out.
 */
export function movedRoots(
  stage: Stage,
  locked: LockedStage | undefined,
  missing: readonly OutState[],
): Map<RelPath, { readonly from: RelPath; readonly root: OutRoot }> {
  const left = undeclared(stage, locked);
  const moved = new Map<RelPath, { readonly from: RelPath; readonly root: OutRoot }>();
  for (const { out } of missing) {
    const below = pathBelow(stage.projectRoot, out.path);
    const found = left.filter(([path]) => below !== undefined && (path === below || path.endsWith(`/${below}`)));
    const [first] = found;
    if (first !== undefined && found.length === 1) moved.set(out.path, { from: first[0], root: first[1] });
  }
  return moved;
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
