// @ts-check
// Checks the import rules of .dependency-cruiser.cjs, and that there was something to check:
// with a TypeScript that dependency-cruiser does not know it cruises nothing and reports success.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runTool } from './run-tool.mjs';

const sources = readdirSync(join(ROOT, 'packages'))
  .map((name) => `packages/${name}/src`)
  .filter((path) => existsSync(join(ROOT, path)));
const files = sources.flatMap((path) =>
  readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')),
);
const { stdout, output } = runTool('depcruise', ['--output-type', 'json', ...sources]);
const { summary, modules } = parse();

/** @type {{ source: string, dependencies: unknown[] }[]} */
const cruised = modules.filter((/** @type {{ source: string }} */ { source }) =>
  /^packages\/[^/]+\/src\//.test(source),
);
const imports = cruised.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
for (const { rule, from, to } of summary.violations) console.log(`${rule.name}: ${from} -> ${to}`);
console.log(`${cruised.length} modules, ${imports} imports, ${summary.violations.length} violations`);
if (files.length === 0 || cruised.length < files.length || imports === 0) {
  console.log(`dependency-cruiser saw ${cruised.length} of ${files.length} modules, so the rules were not checked`);
  process.exitCode = 1;
}
if (summary.violations.length > 0) process.exitCode = 1;

function parse() {
  try {
    return JSON.parse(stdout);
  } catch {
    console.error(output);
    process.exit(1);
  }
}
