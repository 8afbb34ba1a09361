import { pairRenames } from '../model/file-change.js';
import type { OutRoot } from '../model/root.js';
import { diffRoots } from '../store/diff-trees.js';
import type { OperationContext } from './context.js';
import type { OutChange } from './out-history.js';
import type { Version } from './versions.js';
import { withTrees } from './with-trees.js';

/** Files that a change added, deleted, modified and renamed, and the bytes of what came and of what went. */
export interface ChangeCount {
  readonly added: number;
  readonly deleted: number;
  readonly modified: number;
  readonly renamed: number;
  readonly bytesAdded: number;
  readonly bytesDeleted: number;
}

/**
 * Counts what changes did to files, from trees alone, as far as their patterns reach. `null` where the trees of a side can be had nowhere, which is told as a warning.
 * Throws what reading trees throws otherwise.
 */
export async function countChanges(
  context: OperationContext,
  changes: readonly OutChange[],
): Promise<Map<OutChange, ChangeCount | null>> {
  const versions = new Map<string, Version>();
  const versionOf = ({ stage, out, filter, commit }: OutChange, root: OutRoot | undefined): void => {
    if (root === undefined || versions.has(root.digest)) return;
    versions.set(root.digest, { stage, out, root, filter, rev: commit.slice(0, 12) });
  };
  for (const change of changes) {
    versionOf(change, change.after);
    versionOf(change, change.before);
  }
  const { reader } = context.workspace.store;
  const { counts, lost } = await withTrees(context, [...versions.values()], (missing) => {
    const gone = new Set([...missing.keys()].map(({ root }) => root.digest));
    const isGone = (root: OutRoot | undefined): boolean => root !== undefined && gone.has(root.digest);
    const found = changes.map(({ before, after, filter }) =>
      isGone(before) || isGone(after) ? null : count(pairRenames([...diffRoots({ reader, filter }, before, after)])),
    );
    return { counts: new Map(changes.map((change, i) => [change, found[i] ?? null])), lost: [...missing.values()] };
  });
  const [first] = lost;
  if (first !== undefined) {
    const others = lost.length === 1 ? '' : `, and ${lost.length - 1} more versions are not either`;
    context.emit({
      type: 'warning',
      code: first.code,
      message: `${first.message}${others}`,
      ...(first.hint === undefined ? {} : { hint: first.hint }),
    });
  }
  return counts;
}

function count(changes: ReturnType<typeof pairRenames>): ChangeCount {
  const total = { added: 0, deleted: 0, modified: 0, renamed: 0, bytesAdded: 0, bytesDeleted: 0 };
  for (const change of changes) {
    total[change.change]++;
    if (change.change === 'renamed') continue;
    if ('after' in change) total.bytesAdded += change.after.bytes;
    if ('before' in change) total.bytesDeleted += change.before.bytes;
  }
  return total;
}
