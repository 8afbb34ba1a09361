import type { Commit } from './git.js';
import type { LoggedCommit } from './log-locks.js';

/**
 * The log of some of its commits: for each of them the nearest others before it, first parents first. One that is reached through another one as well is left out. `logged`:
 * children before parents, as in a log.
 */
export function nearestShown(
  logged: readonly Pick<LoggedCommit, 'commit' | 'parents'>[],
  isShown: (commit: Commit) => boolean,
): Map<Commit, Commit[]> {
  const place = new Map(logged.map(({ commit }, i) => [commit, i]));
  /** What stands for a commit: itself, or the nearest shown ones before it. */
  const standing = new Map<Commit, readonly Commit[]>();
  const shown = new Map<Commit, Commit[]>();
  for (const { commit, parents } of [...logged].reverse()) {
    const before = [...new Set(parents.flatMap((parent) => standing.get(parent) ?? []))];
    const own = before.length < 2 ? before : withoutAncestors(before, shown, place);
    standing.set(commit, isShown(commit) ? [commit] : own);
    if (isShown(commit)) shown.set(commit, own);
  }
  return shown;
}

/** Drops commits that others of them reach. Only the part of the history between the newest and the oldest of them is walked. */
function withoutAncestors(
  commits: readonly Commit[],
  parents: ReadonlyMap<Commit, readonly Commit[]>,
  place: ReadonlyMap<Commit, number>,
): Commit[] {
  const oldest = Math.max(...commits.map((commit) => place.get(commit) ?? 0));
  const reached = new Set<Commit>();
  const open = commits.flatMap((commit) => parents.get(commit) ?? []);
  for (let commit = open.pop(); commit !== undefined; commit = open.pop()) {
    if (reached.has(commit) || (place.get(commit) ?? 0) > oldest) continue;
    reached.add(commit);
    open.push(...(parents.get(commit) ?? []));
  }
  return commits.filter((commit) => !reached.has(commit));
}
