// What counts as used. `scripts/check.mjs` runs knip twice: as it is, and with `--production`, where tests do not count
// (patterns that end with `!` are production code). An export that only tests use says `@internal` in its comment.
import { existsSync, readFileSync } from 'node:fs';

const TESTS = 'src/**/*.test.ts';
const PROJECT = ['src/**/*.ts!', '!src/**/*.test.ts!', '!src/**/*.suite.ts!', '!src/testing/**!'];

/** @type {import('knip').KnipConfig} */
export default {
  // A type that its own file uses may be exported for whoever wants to name it.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Parts of the systems that we run on: a test makes a pipe, another a small disk. Go builds servers of the tests, rclone is compared with where it is.
  ignoreBinaries: ['go', 'mkfifo', 'openssl', 'rclone', 'umount', 'unshare'],
  workspaces: {
    '.': {
      entry: ['scripts/*.mjs', 'benchmarks/*.mjs', 'e2e/**/*.test.ts'],
      project: ['scripts/**/*.mjs', 'benchmarks/**/*.mjs', 'e2e/**/*.{ts,mjs}'],
      // Started by name in scripts/, or by hand; the data of examples/weather.
      ignoreDependencies: ['@arethetypeswrong/cli', 'nx', 'publint', 'vega-datasets'],
    },
    'packages/engine': { entry: ['src/**/worker.ts!', TESTS], project: PROJECT },
    'packages/cli': { entry: ['src/bin.ts!', 'src/reference/index.ts!', TESTS], project: PROJECT },
    'packages/action': { entry: ['src/index.ts!', TESTS], project: PROJECT },
    'packages/nx': { entry: [...namedSources('packages/nx'), TESTS], project: PROJECT },
  },
};

/** The source files of what `executors.json` and `generators.json` name. @param {string} packageRoot */
function namedSources(packageRoot) {
  return ['executors.json', 'generators.json']
    .map((name) => `${packageRoot}/${name}`)
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      /** @type {{ executors?: Record<string, Record<string, string>>, generators?: Record<string, Record<string, string>> }} */
      const { executors = {}, generators = {} } = JSON.parse(readFileSync(path, 'utf8'));
      return Object.values({ ...executors, ...generators });
    })
    .flatMap(({ implementation, batchImplementation, factory }) => [implementation, batchImplementation, factory])
    .filter((file) => file !== undefined)
    .map((file) => `${file.replace('./dist/', 'src/').replace(/([.]js)?$/, '.ts')}!`);
}
