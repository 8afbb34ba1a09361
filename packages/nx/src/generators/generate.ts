import {
  asSluiceError,
  errorText,
  initWorkspace,
  installMergeDriver,
  type TextFiles,
  toErrorWire,
} from '@sluice/engine';
import { formatChanges } from './format-changes.js';
import { ownVersion } from './own-version.js';
import { installPackages, packageManagerOf } from './package-manager.js';
import { type AfterWriting, type NxTree, treeFiles } from './tree.js';

/** Options that every generator has. */
export interface CommonOptions {
  /** Leave JSON as it is written, without Prettier. */
  readonly skipFormat?: boolean;
  /** Add no dev dependency and install nothing. */
  readonly skipPackageJson?: boolean;
}

/** What is left to do of a generator when its changes are made. */
export interface LeftToDo {
  /** Sentences to print at the end. */
  readonly next: readonly string[];
  /** Done when the changes are written. */
  readonly after?: AfterWriting;
}

/**
 * Runs a generator: prepares the workspace as `init` does, makes its changes, formats them. Throws an `Error` with code, message and hint as one text,
 * since Nx prints nothing else; the tree is then thrown away by Nx.
 */
export async function generate(
  tree: NxTree,
  options: CommonOptions,
  change: (files: TextFiles) => LeftToDo | Promise<LeftToDo>,
): Promise<AfterWriting> {
  try {
    const files = treeFiles(tree);
    const cli = options.skipPackageJson === true ? undefined : ownVersion();
    const { written } = initWorkspace(tree.root, files, { plugin: true, cli });
    const { next, after } = await change(files);
    if (options.skipFormat !== true) await formatChanges(tree, process.env);
    const manager = packageManagerOf(tree);
    return async () => {
      if (written.includes('package.json')) await installPackages(manager, tree.root);
      await tellingFailure(async () => void (await installMergeDriver(tree.root)));
      await tellingFailure(async () => after?.());
      for (const line of next) process.stdout.write(`${line}\n`);
    };
  } catch (error) {
    throw asText(error);
  }
}

async function tellingFailure(run: () => Promise<void> | undefined): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw asText(error);
  }
}

/** Nx prints nothing of an error but its message. */
function asText(error: unknown): Error {
  return new Error(errorText(toErrorWire(asSluiceError(error))), { cause: error });
}
