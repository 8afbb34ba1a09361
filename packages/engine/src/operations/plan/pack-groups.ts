import { compareUtf8 } from '../../model/path.js';
import type { Group, Weighted } from './fold-levels.js';

/**
 * Puts the groups of one level together until there are at most `most`: the heaviest first, each into what is lightest then. Sorted by the names of their first nodes; a group keeps its order inside.
 */
export function packGroups<T extends Weighted>(groups: readonly Group<T>[], most: number): Group<T>[] {
  const heaviestFirst = [...groups].sort((a, b) => weightOf(b) - weightOf(a) || byFirst(a, b));
  const packs = heaviestFirst.slice(0, most).map((group) => ({ ms: weightOf(group), groups: [group] }));
  for (const group of heaviestFirst.slice(most)) {
    const lightest = packs.reduce((least, pack) => (pack.ms < least.ms ? pack : least));
    lightest.ms += weightOf(group);
    lightest.groups.push(group);
  }
  return packs.map((pack) => pack.groups.sort(byFirst).flat()).sort(byFirst);
}

function weightOf(group: Group<Weighted>): number {
  return group.reduce((sum, { ms }) => sum + ms, 0);
}

function byFirst(a: Group<Weighted>, b: Group<Weighted>): number {
  return compareUtf8(a[0]?.name ?? '', b[0]?.name ?? '');
}
