import type { Lock, LockedStage } from '../lock.js';
import { compareUtf8 } from '../path.js';
import { sameStage } from './merge-locks.js';

/** A lock that was put onto another one; `left` are the targets whose entries stayed as they were there, although both changed them. */
export interface RebasedLock {
  readonly lock: Lock;
  readonly left: readonly string[];
}

/** Puts what changed from `base` to `mine` onto `onto`, stage by stage. An entry is one result: where both changed it, that of `onto` stays, for it was published first. */
export function rebaseLock(base: Lock, mine: Lock, onto: Lock): RebasedLock {
  const stages = new Map<string, LockedStage>();
  const left: string[] = [];
  const targets = new Set([...mine.stages.keys(), ...onto.stages.keys()]);
  for (const target of [...targets].sort(compareUtf8)) {
    const [was, is, there] = [base, mine, onto].map((lock) => lock.stages.get(target));
    const isMine = !sameStage(was, is) && !sameStage(is, there);
    if (isMine && !sameStage(was, there)) left.push(target);
    const chosen = isMine && sameStage(was, there) ? is : there;
    if (chosen !== undefined) stages.set(target, chosen);
  }
  return { lock: { stages }, left };
}
