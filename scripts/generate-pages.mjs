// @ts-check
// Keeps the table of options in each page of docs/generators/ and docs/executors/ equal to the schema of its generator or executor: what lies between
// `<!-- options -->` and `<!-- /options -->` is written by `npm run docs`; the check `docs` compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './run-tool.mjs';

const PACKAGE = join(ROOT, 'packages/nx');
/** Folders in docs/, and the keys of the files in the package that name what they describe. */
const KINDS = ['generators', 'executors'];
const BLOCK = /(<!-- options -->\n)[\s\S]*?(<!-- \/options -->)/;

/**
 * @typedef {object} Property
 * @property {string} [type]
 * @property {Property[]} [oneOf]
 * @property {string[]} [enum]
 * @property {unknown} [default]
 * @property {{ $source: string, index?: number }} [$default]
 * @property {string} [description]
 */

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, actual, wanted } of KINDS.flatMap(schemaPages)) if (actual !== wanted) writeFileSync(path, wanted);
}

/** What is wrong with the pages of generators and executors. @returns {string[]} */
export function schemaPageProblems() {
  return KINDS.flatMap((kind) => {
    const names = Object.keys(named(kind));
    const strays = readdirSync(join(ROOT, 'docs', kind)).filter((file) => !names.includes(file.replace(/[.]md$/, '')));
    return [
      ...strays.map((file) => `docs/${kind}/${file}: the package has none with this name`),
      ...schemaPages(kind)
        .filter(({ actual, wanted }) => actual !== wanted)
        .map(({ name }) => `docs/${kind}/${name}.md is out of date: npm run docs`),
    ];
  });
}

/** Each page as it is and as it has to be. Throws if one lacks the marks. @param {string} kind */
function schemaPages(kind) {
  return Object.entries(named(kind)).map(([name, { schema }]) => {
    const path = join(ROOT, 'docs', kind, `${name}.md`);
    const actual = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (!BLOCK.test(actual)) throw new Error(`docs/${kind}/${name}.md has no <!-- options --> … <!-- /options -->`);
    const table = optionsTable(readJson(join(PACKAGE, schema)));
    return { name, path, actual, wanted: actual.replace(BLOCK, (_, begin, end) => `${begin}\n${table}\n${end}`) };
  });
}

/** @param {string} kind @returns {Record<string, { schema: string }>} */
function named(kind) {
  return readJson(join(PACKAGE, `${kind}.json`))[kind];
}

/** @param {{ properties: Record<string, Property>, required?: string[] }} schema */
function optionsTable({ properties, required = [] }) {
  const rows = Object.entries(properties).map(([name, property]) => {
    const place = property.$default?.$source === 'argv' ? ` (argument ${(property.$default.index ?? 0) + 1})` : '';
    const fallback = property.default === undefined ? '' : `\`${JSON.stringify(property.default)}\``;
    const must = required.includes(name) ? 'required' : fallback;
    return `| \`${name}\`${place} | ${kindOf(property)} | ${must} | ${property.description ?? ''} |`;
  });
  return ['| option | value | default | what |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

/** @param {Property} property @returns {string} */
function kindOf(property) {
  if (property.enum !== undefined) return property.enum.map((value) => `\`${value}\``).join(', ');
  if (property.oneOf !== undefined) return property.oneOf.map(kindOf).join(', ');
  if (property.type === 'array') return 'list';
  if (property.type === 'object') return 'object';
  if (property.type === 'integer' || property.type === 'number') return 'number';
  return property.type === 'boolean' ? 'true, false' : 'text';
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
