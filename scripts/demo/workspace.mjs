// @ts-check
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../run-tool.mjs';
import { freshTarballs } from '../tarballs.mjs';
import { Terminal } from './terminal.mjs';

/** Copies `examples/weather` to a temporary folder; its Sluice packages are those of this clone, packed. */
export async function makeWorkspace() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  const workspace = join(folder, 'workspace');
  cpSync(join(ROOT, 'examples/weather'), workspace, {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  mkdirSync(join(folder, 'remote'));
  const path = join(workspace, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  for (const [name, tarball] of Object.entries(await freshTarballs()))
    manifest.devDependencies[name] = `file:${tarball}`;
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
  return { folder, terminal: new Terminal(workspace, environment()) };
}

/** Nx without its daemon, screen and network, and an identity for git. */
function environment() {
  const git = { NAME: 'Demo', EMAIL: 'demo@example.com' };
  const identity = Object.entries(git).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  return {
    ...process.env,
    ...Object.fromEntries(identity),
    NX_DAEMON: 'false',
    NX_TUI: 'false',
    NX_NO_CLOUD: 'true',
    FORCE_COLOR: '0',
  };
}
