import { lstatSync, mkdirSync, readdirSync, renameSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import { loadIgnore } from './ignore-file.js';
import type { IgnoreFilter } from './walk.js';

/**
 * What `.sluiceignore` names inside an out is not Sluice's: it moves from the old version of the out at `from` into the new one at `to`. What has
 * no place there, or is there already, stays behind. Can be done again after it was cut off.
 */
export function carryIgnored(root: string, path: RelPath, from: string, to: string): void {
  for (const below of ignoredIn(root, path, from)) move(join(from, below), join(to, below));
}

/** Throws `ERR_OUT_MODIFIED` if something that {@link carryIgnored} would move has no place, since the new version has a file where its directory was. */
export function refuseBlocked(root: string, path: RelPath, from: string, to: string): void {
  for (const below of ignoredIn(root, path, from)) {
    if (hasPlace(join(to, below), to)) continue;
    throw new SluiceError(
      'ERR_OUT_MODIFIED',
      `${join(path, below)} would be lost: the new version of ${path} has a file in its way`,
      {
        hint: 'It is named in .sluiceignore, so Sluice does not keep it. Move it away, then run again.',
      },
    );
  }
}

/** The ignored entries of a directory, without what lies below them. */
function* ignoredIn(root: string, path: RelPath, from: string): Generator<string> {
  const ignore = loadIgnore(root, path);
  if (ignore !== undefined && isDirectory(from)) yield* ignoredBelow(from, '', ignore);
}

function* ignoredBelow(from: string, below: string, ignore: IgnoreFilter): Generator<string> {
  for (const entry of readdirSync(join(from, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (ignore(path, entry.isDirectory())) yield path;
    else if (entry.isDirectory()) yield* ignoredBelow(from, path, ignore);
  }
}

/** A directory that is there already takes what it does not have. */
function move(source: string, target: string): void {
  if (statOf(target) === undefined) {
    if (!hasPlace(target, dirname(target))) return;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(source, target);
  } else if (isDirectory(source) && isDirectory(target)) {
    for (const name of readdirSync(source)) move(join(source, name), join(target, name));
  }
}

/** Whether every directory above `target`, up to `top`, is there or can be made. */
function hasPlace(target: string, top: string): boolean {
  for (let at = dirname(target); at.length >= top.length; at = dirname(at)) {
    if (statOf(at) !== undefined) return isDirectory(at);
  }
  return true;
}

function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file where a directory would have to be.
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
