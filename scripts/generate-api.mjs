// @ts-check
// Keeps the reference in docs/api.md equal to the sources: what lies between `<!-- operations -->` and `<!-- /operations -->`, and between `<!-- types -->` and `<!-- /types -->`,
// is made of packages/engine/src/engine-api.ts and of what it names. `npm run docs` writes it, the check `docs` compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { readReference } from './generate-commands.mjs';
import { ROOT } from './run-tool.mjs';

const PAGE = join(ROOT, 'docs/api.md');
const ENGINE = join(ROOT, 'packages/engine/src');

/** @type {Map<string, { path: string, node: ts.Statement }> | undefined} */
let known;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, await apiPage());

/** What is wrong with the page. @returns {Promise<string[]>} */
export async function apiPageProblems() {
  return (await apiPage()) === readFileSync(PAGE, 'utf8') ? [] : ['docs/api.md is out of date: npm run docs'];
}

/** The page as it has to be. @returns {Promise<string>} */
async function apiPage() {
  const declared = declarationsOf(join(ENGINE, 'engine-api.ts'));
  const engine = declared.get('Engine');
  if (engine === undefined || !ts.isInterfaceDeclaration(engine)) throw new Error('engine-api.ts declares no Engine');
  const commands = await commandsByOperation();
  const operations = engine.members.map((member) => {
    const name = member.name?.getText() ?? '';
    const of = commands.get(name) ?? [];
    const links = of.map((command) => `[\`sluice ${command}\`](commands/${command.split(' ')[0]}.md)`);
    return [
      `### ${name}`,
      ...proseOf(member),
      ...(links.length === 0 ? [] : [`On the command line: ${links.join(', ')}.`]),
      code(member.getText().replace(/^ {2}/gm, '')),
    ].join('\n\n');
  });
  const types = [...reachable(engine).add('EngineOptions')].sort().map((name) => {
    const { path, node } = publicTypes().get(name) ?? { path: '', node: undefined };
    if (node === undefined) throw new Error(`${name} is not public`);
    return [`### ${name}`, ...proseOf(node), code(node.getText().replace(/^export /, '')), `Of \`${path}\`.`].join(
      '\n\n',
    );
  });
  const page = readFileSync(PAGE, 'utf8');
  return replace(replace(page, 'operations', operations.join('\n\n')), 'types', types.join('\n\n'));
}

/** Names of public types that a declaration needs, directly or through others. @param {ts.Node} start @returns {Set<string>} */
function reachable(start) {
  /** @type {Set<string>} */
  const found = new Set();
  /** @param {ts.Node} node */
  const visit = (node) => {
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : undefined;
    const type = name === undefined ? undefined : publicTypes().get(name.getText());
    if (type !== undefined && name !== undefined && !found.has(name.getText())) {
      found.add(name.getText());
      visit(type.node);
    }
    ts.forEachChild(node, visit);
  };
  visit(start);
  return found;
}

/** The types that the package exports, with the files that declare them. */
function publicTypes() {
  known ??= new Map(exportsOf(join(ENGINE, 'index.ts')));
  return known;
}

/** @param {string} file @returns {[string, { path: string, node: ts.Statement }][]} */
function exportsOf(file) {
  return sourceOf(file).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) return [];
    const from = join(
      dirname(file),
      statement.moduleSpecifier
        .getText()
        .slice(1, -1)
        .replace(/[.]js$/, '.ts'),
    );
    const declared = declarationsOf(from);
    const clause = statement.exportClause;
    const names =
      clause !== undefined && ts.isNamedExports(clause)
        ? clause.elements.map(({ name }) => name.getText())
        : [...declared.keys()];
    return names.flatMap((name) => {
      const node = declared.get(name);
      return node === undefined
        ? []
        : [
            /** @type {[string, { path: string, node: ts.Statement }]} */ ([
              name,
              { path: from.slice(ROOT.length + 1), node },
            ]),
          ];
    });
  });
}

/** Interfaces and types that a file declares. @param {string} file @returns {Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration>} */
function declarationsOf(file) {
  return new Map(
    sourceOf(file).statements.flatMap((statement) =>
      ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
        ? [
            /** @type {[string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration]} */ ([
              statement.name.text,
              statement,
            ]),
          ]
        : [],
    ),
  );
}

/** @param {string} file */
function sourceOf(file) {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The comment above a declaration, as a paragraph. @param {ts.Node} node @returns {string[]} */
function proseOf(node) {
  const text = node.getSourceFile().text;
  const [comment] = (ts.getLeadingCommentRanges(text, node.pos) ?? []).slice(-1);
  if (comment === undefined) return [];
  const lines = text
    .slice(comment.pos, comment.end)
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n');
  const prose = lines
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .trim();
  return prose === '' ? [] : [prose.replace(/\{@link ([^}]+)\}/g, '`$1`')];
}

/** @returns {Promise<Map<string, string[]>>} */
async function commandsByOperation() {
  const { COMMAND_NOTES } = await readReference();
  /** @type {Map<string, string[]>} */
  const commands = new Map();
  for (const [command, { operations }] of Object.entries(COMMAND_NOTES)) {
    for (const operation of operations) commands.set(operation, [...(commands.get(operation) ?? []), command]);
  }
  return commands;
}

/** @param {string} text */
function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\``;
}

/** @param {string} page @param {string} name @param {string} text */
function replace(page, name, text) {
  const block = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!block.test(page)) throw new Error(`docs/api.md has no <!-- ${name} --> … <!-- /${name} -->`);
  return page.replace(block, (_, begin, end) => `${begin}\n${text}\n\n${end}`);
}
