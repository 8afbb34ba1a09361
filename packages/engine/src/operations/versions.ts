import type { RelPath } from '../model/path.js';
import type { PathFilter } from '../model/path-filter.js';
import type { OutRoot } from '../model/root.js';
import { type StageId, stageName } from '../stage/stage.js';
import type { OperationContext } from './context.js';
import { locksAt } from './locks-at.js';
import type { Selected } from './select.js';

/** One version of an out: what a lock said it is. The declaration may be gone since. */
export interface Version {
  readonly stage: { readonly id: StageId };
  readonly out: {
    readonly path: RelPath;
    /** Name of the out's own remote, where it is not the default one. */
    readonly remote: string | undefined;
    readonly push: boolean;
  };
  readonly root: OutRoot;
  /** Which of its files are meant. */
  readonly filter: PathFilter | undefined;
  /** The revision whose lock says so; `undefined` for the workspace's. */
  readonly rev: string | undefined;
}

/** What the locks of the workspace, or of a revision, name of the stages that are selected. Throws `ERR_REVISION`, and what `parseLock` throws. */
export async function lockedVersions(
  context: OperationContext,
  selected: readonly Selected[],
  rev: string | undefined,
): Promise<Version[]> {
  const lockOf = await locksAt(context, rev);
  return selected.flatMap(({ stage, filterOf }) =>
    stage.outs.flatMap((out): Version[] => {
      const root = lockOf(stage)?.get(out.path);
      return root === undefined ? [] : [{ stage, out, root, filter: filterOf?.(out), rev }];
    }),
  );
}

/** The selector of a version's file, `project:target#path`. */
export function fileSelector(context: OperationContext, { stage, out }: Version, path: string): string {
  const name = stageName(stage.id);
  const declared = context.stages.get(stage.id);
  const prefix = declared !== undefined && declared.outs.length > 1 ? shortPath(declared, out.path) : '';
  const below = [prefix, path].filter((part) => part !== '').join('/');
  return below === '' ? name : `${name}#${below}`;
}

function shortPath({ projectRoot }: { readonly projectRoot: RelPath }, path: RelPath): string {
  return projectRoot === '' ? path : path.slice(projectRoot.length + 1);
}
