import { initWorkspace } from '@sluice/engine';
import { type CommonOptions, generate } from '../generate.js';
import type { AfterWriting, NxTree } from '../tree.js';

/** Options of `nx g @sluice/nx:init`. */
export interface InitOptions extends CommonOptions {
  /** URL of the first remote. */
  readonly remote?: string;
}

/** Prepares the workspace, as `sluice init` does, and adds that command. `nx add @sluice/nx` runs it. Throws an `Error` that says code and hint. */
export default async function initGenerator(tree: NxTree, options: InitOptions): Promise<AfterWriting> {
  return await generate(tree, options, (files) => {
    // All but the remote is there already, as for every generator.
    initWorkspace(tree.root, files, { plugin: true, remote: options.remote });
    return { next: ['next: nx g @sluice/nx:stage, or nx g @sluice/nx:dataset for data that is kept by hand'] };
  });
}
