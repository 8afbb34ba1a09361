// @ts-check
// Documents keep their promises: links, anchors, named paths and npm scripts exist, and what is generated is up to date.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { apiPageProblems } from './generate-api.mjs';
import { commandPageProblems } from './generate-commands.mjs';
import { errorsPage } from './generate-errors.mjs';
import { schemaPageProblems } from './generate-pages.mjs';
import { ROOT, runTool } from './run-tool.mjs';

/** npm commands that are no scripts of ours. */
const NPM_COMMANDS = /^(ci|install|i|audit|init|pack|publish|exec|update|link|version)$/;
/** A path of this repository without placeholders: `packages/engine/src/errors.ts`, `docs/`. */
const REPOSITORY_PATH = /^(packages|docs|scripts|e2e|examples|benchmarks|[.]ci|[.]github)\/[\w@./-]*$/;

const tracked = runTool('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md']);
const pages = tracked.stdout.split('\n').filter((page) => page !== '' && existsSync(join(ROOT, page)));
const problems = [
  ...pages.flatMap(problemsOf),
  ...deadScripts(),
  ...(await errorsProblem()),
  ...(await problemsFrom(schemaPageProblems)),
  ...(await problemsFrom(commandPageProblems)),
  ...(await problemsFrom(apiPageProblems)),
];
for (const problem of problems) console.log(problem);
if (pages.length === 0) console.log('no documents were found');
if (problems.length > 0 || pages.length === 0) process.exitCode = 1;

/** What is wrong in one page. @param {string} page */
function problemsOf(page) {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const prose = withoutFences(text);
  const found = [];
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (!/^[a-z]+:/.test(target) && !linkExists(page, target)) found.push(`${page}: broken link ${target}`);
  }
  for (const [, code = ''] of prose.matchAll(/`([^`\n]+)`/g)) {
    if (
      REPOSITORY_PATH.test(code) &&
      !code.includes('/dist/') &&
      !code.includes('/bundle/') &&
      !existsSync(join(ROOT, code))
    ) {
      found.push(`${page}: no such path: ${code}`);
    }
  }
  for (const [, run, name = ''] of text.matchAll(/(?:^|[`$;&|]\s*)npm (run )?([a-z][\w:-]*)/gm)) {
    if ((run !== undefined || !NPM_COMMANDS.test(name)) && !scriptsFor(page).has(name)) {
      found.push(`${page}: no such npm script: ${name}`);
    }
  }
  return found;
}

/** Whether a relative link leads to a file, and to a heading of it if it has an anchor. @param {string} page @param {string} target */
function linkExists(page, target) {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)));
  if (file.startsWith('..') || !existsSync(join(ROOT, file))) return false;
  return anchor === undefined || !file.endsWith('.md') || anchorsOf(file).has(anchor);
}

/** The anchors that GitHub makes of a page's headings. @param {string} page */
function anchorsOf(page) {
  const text = withoutFences(readFileSync(join(ROOT, page), 'utf8'));
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The scripts of the `package.json` beside a page, and of the repository. @param {string} page */
function scriptsFor(page) {
  const packages = ['package.json', join(dirname(page), 'package.json')].filter((path) => existsSync(join(ROOT, path)));
  return new Set(
    packages.flatMap((path) => Object.keys(JSON.parse(readFileSync(join(ROOT, path), 'utf8')).scripts ?? {})),
  );
}

/** Scripts of package.json that start a file that does not exist. */
function deadScripts() {
  /** @type {Record<string, string>} */
  const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  return Object.entries(scripts).flatMap(([name, script]) =>
    [...script.matchAll(/\bnode (\S+[.]mjs)/g)]
      .filter(([, file = '']) => !existsSync(join(ROOT, file)))
      .map(([, file]) => `package.json: script ${name} starts ${file}, which does not exist`),
  );
}

async function errorsProblem() {
  const path = join(ROOT, 'docs/errors.md');
  const actual = existsSync(path) ? readFileSync(path, 'utf8') : '';
  try {
    return actual === (await errorsPage()) ? [] : ['docs/errors.md is out of date: npm run docs'];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** @param {() => string[] | Promise<string[]>} look */
async function problemsFrom(look) {
  try {
    return await look();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** @param {string} text */
function withoutFences(text) {
  return text.replace(/^(\s*)(```|~~~)[\s\S]*?^\s*\2\s*$/gm, '');
}
