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
  const failures = commands.map(([command = '', ...args]) => runTool(command, args)).filter((result) => !result.ok);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name.padEnd(8)} ${failures.length === 0 ? 'ok    ' : 'failed'} ${seconds.padStart(5)} s`);
  for (const { output } of failures) console.log(output.trimEnd().replace(/^/gm, '    '));
  if (failures.length > 0) process.exitCode = 1;
}
