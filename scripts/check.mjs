// @ts-check
// All static checks: `npm run check`, or `npm run check -- lint docs` for some of them.
import { runTool } from './run-tool.mjs';

/** The steps in their order. `build` always runs, since the others read what it makes. @type {Record<string, string[][]>} */
const STEPS = {
  build: [['tsc', '-b']],
  types: [['tsc', '-p', 'tsconfig.test.json']],
  lint: [['biome', 'check', '--error-on-warnings', '.']],
  imports: [['node', 'scripts/check-imports.mjs']],
  unused: [['knip'], ['knip', '--production']],
  docs: [['node', 'scripts/check-docs.mjs']],
  errors: [['node', 'scripts/check-errors.mjs']],
  lock: [['node', 'scripts/complete-lock.mjs', '--check']],
  dist: [['node', 'scripts/bundle-action.mjs', '--check']],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  console.error(`check: no step ${unknown.join(', ')}; the steps are ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}

for (const [name, commands] of Object.entries(STEPS)) {
  if (name !== 'build' && wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const failure = firstFailure(commands);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name.padEnd(8)} ${failure === undefined ? 'ok    ' : 'failed'} ${seconds.padStart(5)} s`);
  if (failure === undefined) continue;
  console.log(failure.trimEnd().replace(/^/gm, '    '));
  process.exitCode = 1;
}

/** Runs commands until one fails, and returns what that one printed. @param {string[][]} commands */
function firstFailure(commands) {
  for (const [command = '', ...args] of commands) {
    const { ok, output } = runTool(command, args);
    if (!ok) return output;
  }
  return undefined;
}
