import { addRemote, setDefaultRemote } from '@sluice/engine';
import { type CommonOptions, generate } from '../generate.js';
import type { AfterWriting, NxTree } from '../tree.js';

/** Options of `nx g @sluice/nx:remote`. */
export interface RemoteOptions extends CommonOptions {
  readonly name: string;
  readonly url: string;
  readonly default?: boolean;
  readonly endpoint?: string;
  readonly region?: string;
  readonly forcePathStyle?: boolean;
}

/** Adds a remote to `sluice.json`, as `sluice remote add` does. Throws an `Error` that says code and hint. */
export default async function remoteGenerator(tree: NxTree, options: RemoteOptions): Promise<AfterWriting> {
  const { name, url, endpoint, region, forcePathStyle } = options;
  return await generate(tree, options, (files) => {
    const settings = {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    };
    addRemote(tree.root, name, { url, ...settings }, files);
    if (options.default === true) setDefaultRemote(tree.root, name, files);
    return { next: [`next: npx sluice remote ping ${name}`] };
  });
}
