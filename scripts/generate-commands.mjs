// @ts-check
// Writes a page for each command from its declaration: docs/commands/. `npm run docs` writes them, the check `docs` compares.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ROOT } from './run-tool.mjs';

/**
 * @typedef {import('../packages/cli/dist/reference/command-table.js').CommandEntry} Command
 * @typedef {import('../packages/cli/dist/reference/command-table.js').OptionEntry} Option
 * @typedef {import('../packages/cli/dist/reference/index.js')} Reference
 */

const FOLDER = join(ROOT, 'docs/commands');
/** Beside what the command line depends on. */
const CACHE = join(ROOT, 'packages/cli/node_modules/.cache');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = await commandPages();
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER)) if (!pages.has(file)) rmSync(join(FOLDER, file));
  for (const [file, text] of pages) writeFileSync(join(FOLDER, file), text);
}

/** What is wrong with the pages of commands. @returns {Promise<string[]>} */
export async function commandPageProblems() {
  const pages = await commandPages();
  const there = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
  return [
    ...there.filter((file) => !pages.has(file)).map((file) => `docs/commands/${file}: no command has this name`),
    ...[...pages]
      .filter(([file, text]) => !there.includes(file) || readFileSync(join(FOLDER, file), 'utf8') !== text)
      .map(([file]) => `docs/commands/${file} is out of date: npm run docs`),
  ];
}

/** The pages as they have to be, by file. @returns {Promise<Map<string, string>>} */
async function commandPages() {
  const reference = await readReference();
  const { commands, groups, globals } = reference.commandTable();
  /** @type {Map<string, Command[]>} */
  const byPage = new Map();
  for (const command of commands) {
    const page = command.name.split(' ')[0] ?? '';
    byPage.set(page, [...(byPage.get(page) ?? []), command]);
  }
  const pages = [...byPage].map(([page, of]) => /** @type {[string, string]} */ ([`${page}.md`, pageOf(page, of)]));
  return new Map([...pages, ['README.md', overview()]]);

  /** @param {string} page @param {Command[]} of */
  function pageOf(page, of) {
    const isGroup = groups.has(page);
    return [
      `# sluice ${page}`,
      ...(isGroup ? [groups.get(page) ?? ''] : []),
      ...of.flatMap((command) => [
        ...(isGroup ? [`## sluice ${command.name}`] : []),
        ...describe(command, isGroup ? '###' : '##'),
      ]),
      'More about it is in [Commands](../commands.md); the options of every command are in [the overview](README.md).',
      '',
    ]
      .join('\n\n')
      .trimEnd()
      .concat('\n');
  }

  /** @param {Command} command @param {string} level */
  function describe({ name, description, usage, arguments: named, options, examples }, level) {
    const notes = reference.COMMAND_NOTES[name];
    if (notes === undefined) throw new Error(`packages/cli/src/reference/command-notes.ts does not know ${name}`);
    return [
      description,
      `    ${usage}`,
      ...(named.length === 0 ? [] : [`${level} Arguments`, argumentTable(name, named, reference.ARGUMENTS)]),
      ...(options.length === 0 ? [] : [`${level} Options`, optionTable(options, notes.defaults ?? {})]),
      `${level} Examples`,
      examples.map((example) => `    ${example}`).join('\n'),
      `${level} JSON`,
      `With \`--json\`, besides \`"schema": 1\`:`,
      `\`\`\`\n${reference.printShape(notes.json)}\n\`\`\``,
      `${level} Exit codes`,
      exitTable({ ...reference.COMMON_EXITS, ...notes.exits }),
    ];
  }

  function overview() {
    const rows = commands.map(({ name, summary }) => {
      const page = name.split(' ')[0] ?? '';
      const anchor = groups.has(page) ? `#sluice-${name.replaceAll(' ', '-')}` : '';
      return `| [\`${name}\`](${page}.md${anchor}) | ${cell(summary)} |`;
    });
    return [
      '# Reference of commands',
      'What each command declares, one page for each. What they are for, with their output, is in [Commands](../commands.md).',
      ['| command | does |', '| --- | --- |', ...rows].join('\n'),
      '## Options of every command',
      optionTable(globals, {}),
      '## Exit codes',
      'Codes of one command are on its page.',
      exitTable(reference.COMMON_EXITS),
      '',
    ]
      .join('\n\n')
      .trimEnd()
      .concat('\n');
  }
}

/** @param {string} command @param {readonly string[]} named @param {Readonly<Record<string, string>>} meanings */
function argumentTable(command, named, meanings) {
  const rows = named.map((argument) => {
    const name = argument.replace(/[^a-z]/g, '');
    const meaning = meanings[`${command} ${name}`] ?? meanings[name];
    if (meaning === undefined) throw new Error(`packages/cli/src/reference/command-notes.ts does not know ${argument}`);
    return `| \`${argument}\` | ${cell(meaning)} |`;
  });
  return ['| argument | what |', '| --- | --- |', ...rows].join('\n');
}

/** @param {readonly Option[]} options @param {Readonly<Record<string, string>>} defaults */
function optionTable(options, defaults) {
  const rows = options.map(({ flags, description, choices, default: told }) => {
    const long = /--[a-z-]+/.exec(flags)?.[0] ?? '';
    const fallback = defaults[long] ?? told ?? (/[<[]/.test(flags) ? '' : 'off');
    const values = choices.length === 0 ? '' : `: ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
    return `| \`${flags}\` | ${cell(description)}${values} | ${cell(fallback)} |`;
  });
  return ['| option | what | without it |', '| --- | --- | --- |', ...rows].join('\n');
}

/** @param {Readonly<Record<number, string>>} exits */
function exitTable(exits) {
  const rows = Object.entries(exits).map(([code, when]) => `| ${code} | ${cell(when)} |`);
  return ['| code | when |', '| --- | --- |', ...rows].join('\n');
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|').replace(/<[^>]*>/g, (tag) => `\`${tag}\``);
}

/** The declarations, as the compiler has left them in dist/. They need nothing of the engine before a command runs, so it need not be bundled yet. @returns {Promise<Reference>} */
export async function readReference() {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'commands-'));
  try {
    const outfile = join(folder, 'reference.mjs');
    await build({
      entryPoints: [join(ROOT, 'packages/cli/dist/reference/index.js')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      plugins: [
        {
          name: 'no-engine',
          setup: ({ onLoad, onResolve }) => {
            onResolve({ filter: /^@sluice\/engine$/ }, ({ path }) => ({ path, namespace: 'no-engine' }));
            onLoad({ filter: /./, namespace: 'no-engine' }, () => ({ contents: 'module.exports = {}' }));
          },
        },
      ],
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
