// What counts as used. `scripts/check.mjs` runs knip twice: as it is, and with `--production`, where tests do not count
// (patterns that end with `!` are production code). An export that only tests use says `@internal` in its comment.
import { existsSync, readFileSync } from 'node:fs';

const TESTS = 'src/**/*.test.ts';
const PROJECT = ['src/**/*.ts!', '!src/**/*.test.ts!', '!src/**/*.suite.ts!', '!src/testing/**!'];

/** @type {import('knip').KnipConfig} */
export default {
  // A type that its own file uses may be exported for whoever wants to name it.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Part of every POSIX system; a test makes a pipe with it.
  ignoreBinaries: ['mkfifo'],
  workspaces: {
    '.': {
      entry: ['scripts/*.mjs', 'benchmarks/*.mjs', 'e2e/**/*.test.ts'],
      project: ['scripts/**/*.mjs', 'benchmarks/**/*.mjs', 'e2e/**/*.{ts,mjs}'],
      // Started by name in scripts/, or by hand; the data of examples/weather.
      ignoreDependencies: ['@arethetypeswrong/cli', 'nx', 'publint', 'vega-datasets'],
    },
    'packages/engine': { entry: ['src/index.ts!', 'src/graph.ts!', 'src/**/worker.ts!', TESTS], project: PROJECT },
    'packages/cli': { entry: ['src/bin.ts!', TESTS], project: PROJECT },
    'packages/nx': { entry: ['src/plugin.ts!', ...executorSources('packages/nx'), TESTS], project: PROJECT },
  },
};

/** The source files of what `executors.json` names. @param {string} packageRoot */
function executorSources(packageRoot) {
  const path = `${packageRoot}/executors.json`;
  if (!existsSync(path)) return [];
  /** @type {{ executors: Record<string, Record<string, string>> }} */
  const { executors } = JSON.parse(readFileSync(path, 'utf8'));
  return Object.values(executors)
    .flatMap(({ implementation, batchImplementation }) => [implementation, batchImplementation])
    .filter((file) => file !== undefined)
    .map((file) => `${file.replace('./dist/', 'src/').replace(/([.]js)?$/, '.ts')}!`);
}
