// @ts-check
// Runs all tests with jest; arguments are passed on. The last line is `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './run-tool.mjs';

const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const outputFile = join(directory, 'jest.json');
const nodeOptions = `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`;
const { status } = runTool(
  'jest',
  ['--maxWorkers=2', '--json', `--outputFile=${outputFile}`, ...process.argv.slice(2)],
  { show: true, env: { ...process.env, NODE_OPTIONS: nodeOptions.trim() } },
);
const { passed, failed } = countTests(status);
rmSync(directory, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = status === 0 && failed === 0 && passed > 0 ? 0 : 1;

/** A suite that could not be loaded, and a jest that failed for any other reason, count as one failed test. @param {number} jestStatus */
function countTests(jestStatus) {
  const report = readReport();
  const passed = report?.numPassedTests ?? 0;
  const failed = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  const foundNothing = report?.numTotalTestSuites === 0;
  return { passed, failed: failed === 0 && jestStatus !== 0 && !foundNothing ? 1 : failed };
}

function readReport() {
  try {
    return JSON.parse(readFileSync(outputFile, 'utf8'));
  } catch {
    return undefined;
  }
}
