// @ts-check
// Joins the modules of each package into few files: a hundred small modules cost Node a tenth of a second at every start.
// The type declarations stay in dist/; packages stay apart and keep their dependencies.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './run-tool.mjs';

/** By package: names of the bundled files, without `.js`, and what they begin with. */
const ENTRIES = {
  engine: { index: 'index.js', 'workspace/worker': 'workspace/worker.js' },
  cli: { bin: 'bin.js' },
};

for (const [name, entries] of Object.entries(ENTRIES)) {
  const folder = join(ROOT, 'packages', name);
  rmSync(join(folder, 'bundle'), { recursive: true, force: true });
  await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([to, from]) => [to, join(folder, 'dist', from)])),
    outdir: join(folder, 'bundle'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    legalComments: 'inline',
    logLevel: 'warning',
  });
}
