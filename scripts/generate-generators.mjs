// @ts-check
// Keeps the table of options in each page of docs/generators/ equal to the schema of its generator: what lies between
// `<!-- options -->` and `<!-- /options -->` is written by `npm run docs`; the check `docs` compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './run-tool.mjs';

const PACKAGE = join(ROOT, 'packages/nx');
const PAGES = join(ROOT, 'docs/generators');
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
  for (const { path, actual, wanted } of generatorPages()) if (actual !== wanted) writeFileSync(path, wanted);
}

/** What is wrong with the pages of generators. @returns {string[]} */
export function generatorPageProblems() {
  const names = Object.keys(generators());
  const strays = readdirSync(PAGES).filter((file) => !names.includes(file.replace(/[.]md$/, '')));
  return [
    ...strays.map((file) => `docs/generators/${file}: there is no such generator`),
    ...generatorPages()
      .filter(({ actual, wanted }) => actual !== wanted)
      .map(({ name }) => `docs/generators/${name}.md is out of date: npm run docs`),
  ];
}

/** Each page as it is and as it has to be. Throws if one lacks the marks. */
function generatorPages() {
  return Object.entries(generators()).map(([name, { schema }]) => {
    const path = join(PAGES, `${name}.md`);
    const actual = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (!BLOCK.test(actual)) throw new Error(`docs/generators/${name}.md has no <!-- options --> … <!-- /options -->`);
    const table = optionsTable(readJson(join(PACKAGE, schema)));
    return { name, path, actual, wanted: actual.replace(BLOCK, (_, begin, end) => `${begin}\n${table}\n${end}`) };
  });
}

/** @returns {Record<string, { schema: string }>} */
function generators() {
  return readJson(join(PACKAGE, 'generators.json')).generators;
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

/** @param {Property} property */
function kindOf(property) {
  if (property.enum !== undefined) return property.enum.map((value) => `\`${value}\``).join(', ');
  if (property.oneOf !== undefined) return 'list';
  return property.type === 'boolean' ? 'true, false' : 'text';
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
