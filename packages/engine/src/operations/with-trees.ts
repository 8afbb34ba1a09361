import { asSluiceError, SluiceError, toErrorWire } from '../errors.js';
import { rawOf } from '../model/digest.js';
import { stageName } from '../stage/stage.js';
import { createNodeCheck } from '../store/node-check.js';
import { relyOn } from '../store/rely.js';
import { throwProblems } from '../util/problems.js';
import { readingOrder } from '../workspace/config.js';
import type { OperationContext } from './context.js';
import type { Version } from './versions.js';

/** What {@link withTrees} could not bring, with the reason. */
export type MissingTrees = ReadonlyMap<Version, SluiceError>;

const TREE_PROBLEMS: readonly string[] = ['ERR_OBJECT_MISSING', 'ERR_OBJECT_DAMAGED', 'ERR_TREE_INVALID'];

/** Whether an error says that the store lacks a sound copy of a tree node. */
export function isTreeProblem(error: unknown): boolean {
  return error instanceof SluiceError && TREE_PROBLEMS.includes(error.code);
}

/**
 * Does work that reads the trees of versions. They come from the remotes when the work finds that the store lacks one, into the store, where they stay; blobs never
 * come. The work is then done again from its beginning, so it must leave nothing behind when it throws. What can be had nowhere is in `missing`, and the work must do
 * without it.
 */
export async function withTrees<T>(
  context: OperationContext,
  versions: readonly Version[],
  work: (missing: MissingTrees) => T,
): Promise<T> {
  const { store } = context.workspace;
  const roots = versions.flatMap(({ root }) => root);
  return relyOn(store, roots, async () => {
    const { catalog } = store.reader;
    const isBegun = versions.every(({ root }) => root.kind === 'blob' || catalog.has('tree', rawOf(root.digest)));
    if (isBegun) {
      try {
        return work(new Map());
      } catch (error) {
        if (!isTreeProblem(error)) throw error;
      }
    }
    return work(await bringTrees(context, versions));
  });
}

/** The same for work that needs all trees. Throws `ERR_NOT_LOCAL`, or `ERR_REMOTE_DOWN` if a remote that may have them does not answer. */
export async function withAllTrees<T>(
  context: OperationContext,
  versions: readonly Version[],
  work: () => T,
): Promise<T> {
  return withTrees(context, versions, (missing) => {
    throwProblems([...missing.values()].map(toErrorWire));
    return work();
  });
}

/** Brings the trees of versions that the store lacks; what can be had nowhere is in the result. Call it while the roots are relied on. */
export async function bringTrees(context: OperationContext, versions: readonly Version[]): Promise<MissingTrees> {
  const bring = (some: readonly Version[]): Promise<unknown> =>
    context.remotes.fetch(
      some.map(({ root, filter, out }) => ({ root, filter, remote: out.remote })),
      'trees',
    );
  const hasNodes = createNodeCheck(context.workspace.store.reader);
  const hasTrees = ({ root, filter }: Version): boolean => hasNodes(root, filter);
  const wanted = versions.filter((version) => !hasTrees(version));
  const missing = new Map<Version, SluiceError>();
  if (wanted.length === 0) return missing;
  try {
    await bring(wanted);
    return missing;
  } catch (error) {
    if (isFinal(error)) throw error;
  }
  // One of them failed; the others may be there all the same.
  for (const version of wanted) {
    if (hasTrees(version)) continue;
    try {
      await bring([version]);
    } catch (error) {
      if (isFinal(error)) throw error;
      missing.set(version, explain(context, version, asSluiceError(error)));
    }
  }
  return missing;
}

/** Whether an error is no answer to the question whether the trees can be had. */
function isFinal(error: unknown): boolean {
  return (
    !(error instanceof SluiceError) || (error.exitCode !== 3 && error.exitCode !== 4) || error.code === 'ERR_DISK_FULL'
  );
}

/** Names what is missing, where it was looked for, and what brings it. */
function explain(context: OperationContext, version: Version, cause: SluiceError): SluiceError {
  const { stage, out, root, rev } = version;
  const { config } = context;
  const name = stageName(stage.id);
  const remotes = readingOrder(config, out.remote);
  const [remote] = remotes;
  const named = `remote${remotes.length === 1 ? '' : 's'} ${remotes.join(', ')}`;
  const isDown = cause.code === 'ERR_REMOTE_DOWN' || cause.code === 'ERR_REMOTE_DENIED';
  const where =
    remote === undefined
      ? 'and no remote is configured'
      : config.offline
        ? `and ${named} ${remotes.length === 1 ? 'is' : 'are'} not asked: Sluice is offline`
        : isDown
          ? `and ${named} ${remotes.length === 1 ? 'does' : 'do'} not answer`
          : `nor on ${named}`;
  const fetch = `sluice fetch ${rev === undefined ? '' : `--rev ${rev} `}${name}`;
  const hint =
    remote === undefined
      ? 'Add the remote that has it (`sluice remote add`), or copy the store of a workspace that has it.'
      : config.offline || isDown
        ? `Run: ${fetch} (when ${remote} can be asked)`
        : `Run \`sluice push --all-commits ${name}\` in a workspace that has it, then: ${fetch}`;
  return new SluiceError(
    isDown && !config.offline ? cause.code : 'ERR_NOT_LOCAL',
    `${name}: the tree of ${out.path}${rev === undefined ? '' : ` at ${rev}`} (${root.digest}) is not in the store, ${where}`,
    { hint, cause, details: { digest: root.digest, remotes, command: fetch } },
  );
}
