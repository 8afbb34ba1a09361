// @ts-check
// End-to-end tests on every supported Nx and Node: `npm run test:matrix`, or
// `npm run test:matrix -- --nx 22.7.12,24.0.6 --node 20 pipeline graph`. Words choose tests by their path in e2e/; without words those that ask something of Nx run.
// Node comes as an npm package and is kept in node_modules/.cache.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './run-tool.mjs';
import { CACHE } from './with-lock.mjs';

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
const words = positionals.length > 0 ? positionals : ABOUT_NX;
const tests = [...words.map((word) => `e2e/[^/]*${word}[^/]*[.]test`), ...(positionals.length > 0 ? [] : ABOUT_NODE)];

/** @type {string[]} */
const failed = [];
for (const node of values.node.split(',')) {
  const path = nodeOf(node);
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

/** The path of a Node of this major, or of exactly this version. @param {string} version */
function nodeOf(version) {
  const home = join(CACHE, `node-${version}`);
  const path = join(home, 'node_modules/node/bin/node');
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(join(CACHE, 'new-node-'));
  try {
    execFileSync('npm', ['install', '--prefix', fresh, '--no-audit', '--no-fund', `node@${version}`], {
      stdio: 'pipe',
    });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return path;
}

/** @param {string} path */
function versionOf(path) {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1);
}
