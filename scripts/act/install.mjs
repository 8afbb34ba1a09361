// @ts-check
// `act` runs workflows on this machine, with a cache server of version 1: `node scripts/act/install.mjs`.
import { pathToFileURL } from 'node:url';
import { installGoTool } from '../go-tool.mjs';

/** Path of the program. */
export const installAct = () =>
  installGoTool({
    name: 'act',
    path: 'github.com/nektos/act',
    version: 'v0.2.89',
    takes: 'about 30 s',
    otherwise: ', where tests run workflows',
  });

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Tests that run no workflow pass all the same; those that do fail with this sentence.
  await installAct().catch((/** @type {Error} */ error) => console.error(`setup: ${error.message}`));
}
