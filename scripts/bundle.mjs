// @ts-check
// Joins the modules of each package into few files: a hundred small modules cost Node a tenth of a second at every start.
// The type declarations stay in dist/; packages stay apart and keep their dependencies.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './run-tool.mjs';

/** By package: names of the bundled files, without `.js`, and what they begin with. */
const ENTRIES = {
  engine: {
    index: 'index.js',
    graph: 'graph.js',
    summary: 'summary.js',
    'workspace/worker': 'workspace/worker.js',
  },
  cli: { bin: 'bin.js' },
};

for (const [name, entries] of Object.entries(ENTRIES)) {
  const folder = join(ROOT, 'packages', name);
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([to, from]) => [to, join(folder, 'dist', from)])),
    outdir: join(folder, 'bundle'),
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    legalComments: 'inline',
    logLevel: 'warning',
  });
  // Whole files under their names, and old ones deleted last: tests may be running on the bundle that is there.
  for (const { path, contents } of outputFiles) replace(path, contents);
  deleteOthers(join(folder, 'bundle'), new Set(outputFiles.map(({ path }) => path)));
}

/** @param {string} path @param {Uint8Array} contents */
function replace(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  if (contentsOf(path)?.equals(contents)) return;
  const isProgram = Buffer.from(contents.subarray(0, 2)).toString() === '#!';
  writeFileSync(`${path}.${process.pid}`, contents, { mode: isProgram ? 0o755 : 0o644 });
  renameSync(`${path}.${process.pid}`, path);
}

/** @param {string} path @returns {Buffer | undefined} */
function contentsOf(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** @param {string} folder @param {Set<string>} kept */
function deleteOthers(folder, kept) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !kept.has(path)) rmSync(path, { force: true });
  }
}
