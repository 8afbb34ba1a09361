import type { Lock } from '../model/lock.js';
import type { RelPath } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import type { RootRef } from '../store/gc/roots.js';

/** A root with the out that it is the root of. */
export interface NamedRoot extends RootRef {
  /** Path of the out, relative to its workspace. */
  readonly path: RelPath;
}

/** The roots of a lock; `where` says which lock it is. */
export function rootsOfLock(lock: Lock, where: string): NamedRoot[] {
  return [...lock.stages.values()].flatMap(({ outs }) => rootsOfOuts(outs, where));
}

/** The roots of outs; `where` says what names them. */
export function rootsOfOuts(outs: ReadonlyMap<RelPath, OutRoot>, where: string): NamedRoot[] {
  return [...outs].map(([path, root]) => ({ root, path, why: `${path} in ${where}` }));
}
