// @ts-check
// Runs what README.md tells a user to do, in a new workspace with the packed tarballs installed (`npm run pack:all` first).
//
//     <!-- run -->            the ```sh block that follows is run; all of them run in one shell, in their order
//     <!-- file: PATH -->     the block that follows is first written to PATH in the workspace
//
// `node scripts/check-readme.mjs OTHER.md` does the same for another page. SLUICE_E2E_NX chooses the major version of Nx.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ROOT, runTool } from './run-tool.mjs';

const page = process.argv[2] ?? 'README.md';
const steps = stepsOf(readFileSync(resolve(ROOT, page), 'utf8'));
if (!steps.some(({ kind }) => kind === 'run')) fail(`${page}: no block is marked <!-- run -->`);

const workspace = mkdtempSync(join(tmpdir(), 'sluice-readme-'));
process.on('exit', () => rmSync(workspace, { recursive: true, force: true }));
makeWorkspace();
const script = steps.map(({ kind, path, text }) => (kind === 'run' ? text : writeCommand(path, text))).join('\n');
// -v prints each command before its output, as a reader of the page would type and see it.
const { ok } = runTool('bash', ['-veuo', 'pipefail', '-c', script], { show: true, cwd: workspace });
if (!ok) fail(`${page}: a command failed (see above)`);
console.log(`${page}: all commands ran`);

/** The marked blocks of a page, in their order. @param {string} text */
function stepsOf(text) {
  const marked = /^<!-- (run|file: (\S+)) -->\n+```(\w*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(marked)].map(([, mark, path = '', language, block = '']) => {
    if (mark === 'run' && language !== 'sh') fail(`${page}: <!-- run --> stands before a block that is not sh`);
    return { kind: mark === 'run' ? 'run' : 'file', path, text: block };
  });
}

/** A shell command that writes a file, so that it happens between the commands before and after it. @param {string} path @param {string} text */
function writeCommand(path, text) {
  const source = join(workspace, '.readme', path);
  mkdirSync(dirname(source), { recursive: true });
  writeFileSync(source, text);
  return `(cd '${workspace}' && mkdir -p '${dirname(path)}' && cp '.readme/${path}' '${path}')`;
}

/** An Nx workspace in git with Nx and our tarballs, and nothing else. */
function makeWorkspace() {
  const nx =
    process.env.SLUICE_E2E_NX ?? JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).devDependencies.nx;
  const tarballs = readdirSync(join(ROOT, 'tarballs')).map((name) => join(ROOT, 'tarballs', name));
  write('package.json', { name: 'readme', private: true, type: 'module' });
  write('nx.json', { useDaemonProcess: false, analytics: false, neverConnectToCloud: true });
  writeFileSync(join(workspace, '.gitignore'), 'node_modules/\n.nx/\n.readme/\n');
  must('git', ['init', '--quiet', '--initial-branch=main']);
  must('git', ['config', 'user.name', 'Reader']);
  must('git', ['config', 'user.email', 'reader@example.com']);
  must('npm', ['install', '--save-dev', '--no-audit', '--no-fund', `nx@${nx}`, ...tarballs]);
  must('git', ['add', '.']);
  must('git', ['commit', '--quiet', '-m', 'A new workspace']);
}

/** @param {string} name @param {object} value */
function write(name, value) {
  writeFileSync(join(workspace, name), `${JSON.stringify(value, null, 2)}\n`);
}

/** @param {string} command @param {string[]} args */
function must(command, args) {
  const { ok, output } = runTool(command, args, { cwd: workspace });
  if (!ok) fail(`${command} ${args.join(' ')}\n${output}`);
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}
