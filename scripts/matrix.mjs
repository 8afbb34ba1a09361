// @ts-check
// End-to-end tests on every supported Nx and Node: `npm run test:matrix`, or
// `npm run test:matrix -- --nx 22.7.12,24.0.6 --node 20 pipeline graph`. Words choose tests by their path in e2e/; without words those that ask something of Nx run.
import { execFileSync, spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeOf } from './node-of.mjs';
import { ROOT } from './run-tool.mjs';

/** The last version of each supported major. */
const NX = ['22.7.12', '23.3.2', '24.0.6'];
const NODE = ['20', '22', '24'];
/** Crashes, sharing and S3 have nothing to do with the version of Nx. */
const ABOUT_NX = [
  'action',
  'add',
  'batch',
  'doctor',
  'executors',
  'generators',
  'graph',
  'layouts',
  'pipeline',
  'summary',
  'trouble',
];

/** What a newer Node must not change: tests of this path, in any case. */
const ABOUT_NODE = ['packages/engine/src/model/sample[.]test'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nx: { type: 'string', default: NX.join(',') },
    node: { type: 'string', default: NODE.join(',') },
  },
});
const tests =
  positionals.length > 0
    ? positionals.map((word) => `e2e/[^/]*${word}[^/]*[.]test`)
    : [`e2e/(${ABOUT_NX.join('|')})[.]test`, ...ABOUT_NODE];

/** @type {string[]} */
const failed = [];
for (const node of values.node.split(',')) {
  const path = await nodeOf(node);
  for (const nx of values.nx.split(',')) {
    const name = `Node ${versionOf(path)}, Nx ${nx}`;
    console.log(`matrix: ${name}`);
    const { status } = spawnSync(path, [join(ROOT, 'scripts/test.mjs'), ...tests], {
      cwd: ROOT,
      stdio: 'inherit',
      env: {
        ...process.env,
        PATH: `${dirname(path)}${delimiter}${process.env.PATH ?? ''}`,
        SLUICE_E2E_NX: nx,
      },
    });
    if (status !== 0) failed.push(name);
  }
}
console.log(failed.length === 0 ? 'matrix: all passed' : `matrix: failed on ${failed.join('; ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** @param {string} path */
function versionOf(path) {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1);
}
