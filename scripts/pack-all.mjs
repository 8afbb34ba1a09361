// @ts-check
// Builds, packs every public package into tarballs/, and checks each tarball as a user's package manager and compiler see it.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { ROOT, runTool } from './run-tool.mjs';

const TARBALLS = join(ROOT, 'tarballs');

must('tsc', ['-b']);
must('node', ['scripts/bundle.mjs']);
rmSync(TARBALLS, { recursive: true, force: true });
mkdirSync(TARBALLS);
for (const name of readdirSync(join(ROOT, 'packages')).sort()) {
  const folder = join(ROOT, 'packages', name);
  if (!existsSync(join(folder, 'package.json')) || readJson(join(folder, 'package.json')).private === true) continue;
  deleteStaleOutput(folder);
  copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  const { filename, files } = pack(folder);
  const problems = [...missingFiles(folder, new Set(files)), ...toolProblems(folder, join(TARBALLS, filename))];
  console.log(`${filename}: ${files.length} files, ${problems.length === 0 ? 'ok' : 'failed'}`);
  for (const problem of problems) console.log(problem.replace(/^/gm, '    '));
  if (problems.length > 0) process.exitCode = 1;
}

/** tsc leaves the output of a deleted or renamed source behind, and `npm pack` would take it. @param {string} folder */
function deleteStaleOutput(folder) {
  if (!existsSync(join(folder, 'dist'))) return;
  for (const file of readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const source = file.replace(/([.]d[.]ts|[.]js)$/, '.ts');
    if (source !== file && !existsSync(join(folder, 'src', source))) rmSync(join(folder, 'dist', file));
  }
}

/** @param {string} folder @returns {{ filename: string, files: string[] }} */
function pack(folder) {
  const [packed] = JSON.parse(must('npm', ['pack', '--json', '--pack-destination', TARBALLS], folder));
  return { filename: packed.filename, files: packed.files.map((/** @type {{ path: string }} */ { path }) => path) };
}

/**
 * Files that package.json and the executor and generator lists name and the tarball lacks. publint and attw do not know those lists.
 * @param {string} folder
 * @param {Set<string>} files
 */
function missingFiles(folder, files) {
  const manifest = readJson(join(folder, 'package.json'));
  const lists = [manifest.executors, manifest.generators].filter((path) => path !== undefined);
  const migrations = pathsIn(manifest['nx-migrations']);
  const named = ['LICENSE', ...pathsIn(manifest.bin), ...pathsIn(manifest.exports), ...lists, ...migrations];
  for (const list of lists) {
    const { executors = {}, generators = {} } = readJson(join(folder, list));
    for (const entry of Object.values({ ...executors, ...generators })) {
      const { implementation, batchImplementation, factory, schema } = entry;
      named.push(schema, ...[implementation, batchImplementation, factory].filter((path) => path !== undefined));
    }
  }
  return named
    .map((path) => normalize(path))
    .filter((path) => !files.has(path) && !files.has(`${path}.js`) && !files.has(join(path, 'index.js')))
    .map((path) => `${path} is named, but is not in the tarball`);
}

/** All strings in a `bin` or `exports` field. @param {unknown} value @returns {string[]} */
function pathsIn(value) {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}

/** What publint says about a tarball, and attw where the tarball has types to ask about. @param {string} folder @param {string} tarball */
function toolProblems(folder, tarball) {
  const commands = [['publint', 'run', '--strict', tarball]];
  if (pathsIn(readJson(join(folder, 'package.json')).exports).some((path) => path.endsWith('.d.ts'))) {
    commands.push(['attw', '--profile', 'esm-only', '--no-emoji', '--format', 'ascii', tarball]);
  }
  return commands.flatMap(([tool = '', ...args]) => {
    const { ok, output } = runTool(tool, args);
    return ok ? [] : [`${tool}:\n${output.trim()}`];
  });
}

/** Stdout of a command that has to work. @param {string} command @param {string[]} args @param {string} [cwd] */
function must(command, args, cwd = ROOT) {
  const { ok, stdout, output } = runTool(command, args, { cwd });
  if (ok) return stdout;
  console.error(`pack: \`${command} ${args.join(' ')}\` failed\n${output}`);
  return process.exit(1);
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
