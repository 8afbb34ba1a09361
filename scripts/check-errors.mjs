// @ts-check
// Every code of the error table is used somewhere. In errors.ts itself only `new SluiceError('…')` counts as use.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadErrors } from './generate-errors.mjs';
import { ROOT } from './run-tool.mjs';

const used = new Set(
  readdirSync(join(ROOT, 'packages')).flatMap((name) => sourcesOf(`packages/${name}/src`).flatMap(codesIn)),
);
const dead = Object.keys(await loadErrors()).filter((code) => !used.has(code));
for (const code of dead) console.log(`${code} is in the error table, but nothing uses it`);
if (dead.length > 0) process.exitCode = 1;

/** Paths of the production sources below a folder. @param {string} folder */
function sourcesOf(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /[.]ts$/.test(name) && !/[.](test|suite)[.]ts$|(^|[/\\])testing[/\\]/.test(name))
    .map((name) => join(folder, name));
}

/** The codes that a source uses. @param {string} path */
function codesIn(path) {
  const pattern = path.endsWith('errors.ts') ? /SluiceError\(\s*'(ERR_\w+)'/g : /'(ERR_\w+)'/g;
  return [...readFileSync(join(ROOT, path), 'utf8').matchAll(pattern)].map(([, code = '']) => code);
}
