// @ts-check
// Makes a clone ready to run: the right Node, the packages of package-lock.json, a build.
// Says nothing where nothing had to be done. `npm start` and `npm test` begin with it.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runTool } from './run-tool.mjs';

checkNode(process.versions.node);
if (installIsStale()) {
  console.log('setup: installing packages (npm ci)');
  must('npm', ['ci', '--no-audit', '--no-fund']);
}
if (!existsSync(join(ROOT, 'packages/engine/dist/.tsbuildinfo'))) console.log('setup: building (tsc -b)');
must('tsc', ['-b']);
must('node', ['scripts/bundle.mjs']);

/** Ends the process unless Node is `^20.19 || >=22.12`, the first lines that can `require` ES modules. @param {string} version */
function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  console.error(`setup: Node ${version} is too old. Sluice needs Node 20.19 or later of line 20, or 22.12 or later.`);
  process.exit(1);
}

/** npm writes `node_modules/.package-lock.json` last, so an interrupted install counts as none. */
function installIsStale() {
  const installed = statSync(join(ROOT, 'node_modules/.package-lock.json'), { throwIfNoEntry: false });
  return installed === undefined || installed.mtimeMs < statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

/** @param {string} command @param {string[]} args */
function must(command, args) {
  const { status } = runTool(command, args, { show: true });
  if (status === 0) return;
  console.error(`setup: \`${[command, ...args].join(' ')}\` failed (see above)`);
  process.exit(status);
}
