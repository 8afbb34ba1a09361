import { posix } from 'node:path';
import { addFile, addTarget, SluiceError, unpackZip } from '@sluice/engine';
import { type CommonOptions, generate } from '../generate.js';
import { onlyGiven } from '../only-given.js';
import { type AfterWriting, inWorkspace, type NxTree } from '../tree.js';

/** Options of `nx g @sluice/nx:dataset`. */
export interface DatasetOptions extends CommonOptions {
  readonly name: string;
  readonly project?: string;
  readonly projectRoot?: string;
  /** Where the data lies, relative to the workspace root. */
  readonly path: string;
  /** A file that it is made from. */
  readonly from?: string;
  readonly unzip?: boolean;
  readonly remote?: string;
  readonly mutability?: 'flexible' | 'strict' | 'append-only' | 'mutable';
}

/**
 * Declares data that is kept by hand, and brings it from a file if asked to. The file is looked at first; the data itself is written after the declaration,
 * beside Nx's tree, which holds everything in memory. Throws an `Error` that says code and hint.
 */
export default async function datasetGenerator(tree: NxTree, options: DatasetOptions): Promise<AfterWriting> {
  const { from, unzip, remote, mutability } = options;
  const path = posix.normalize(options.path).replace(/\/$/, '');
  return await generate(tree, options, async (files) => {
    if (unzip === true && from === undefined) {
      throw new SluiceError('ERR_USAGE', '--unzip needs --from', { hint: 'Name the zip file with --from.' });
    }
    const attributes = onlyGiven({ remote, mutability });
    const { project, target, outs } = addTarget(tree.root, files, {
      kind: 'dataset',
      project: options.project,
      projectRoot: options.projectRoot,
      beside: path.startsWith('{') ? undefined : path,
      target: options.name,
      options: {
        outs: [Object.keys(attributes).length === 0 ? path : { path, ...attributes }],
      },
    });
    const next = `next: nx run ${project}:${target} takes what lies there into the store and the lock`;
    const [out] = outs;
    if (from === undefined || out === undefined) return { next: [next] };
    const bring = unzip === true ? unpackZip : addFile;
    const source = { from: inWorkspace(tree, from), root: tree.root, path: out };
    await bring({ ...source, dryRun: true });
    return {
      next: [next],
      after: async () => {
        await bring(source);
      },
    };
  });
}
