import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/run-tool.mjs';
import { freshTarballs } from '../../scripts/tarballs.mjs';
import { CACHE, withLock } from '../../scripts/with-lock.mjs';

/** The version of Nx that end-to-end tests run on; the repository's own unless `SLUICE_E2E_NX` says otherwise. */
const NX = process.env.SLUICE_E2E_NX ?? devDependency('nx');

const BASES = join(CACHE, 'e2e');

/** Tests that have begun with the last one may still copy from it. */
const KEPT_BASES = 2;

/** What a user's `package.json` holds. */
export interface Installed {
  readonly manifest: object;
  /** Puts `node_modules` into a workspace, as hard links where the file system has them. */
  putInto(workspace: string): void;
}

/** Installs the tarballs and Nx once for all tests, as npm does it for a user. */
export async function installed(): Promise<Installed> {
  const tarballs = await freshTarballs();
  const manifest = {
    name: 'workspace',
    private: true,
    devDependencies: {
      ...Object.fromEntries(Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`])),
      nx: NX,
    },
  };
  const base = join(BASES, keyOf(tarballs));
  await withLock('install', () => {
    if (!existsSync(base)) install(base, manifest);
  });
  return { manifest, putInto: (workspace) => copyModules(join(base, 'node_modules'), join(workspace, 'node_modules')) };
}

function keyOf(tarballs: Record<string, string>): string {
  const hash = createHash('sha256').update(NX);
  for (const path of Object.values(tarballs)) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

/** A base is complete under its name, or not there. */
function install(base: string, manifest: object): void {
  mkdirSync(BASES, { recursive: true });
  const latestFirst = readdirSync(BASES)
    .map((name) => join(BASES, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of latestFirst.slice(KEPT_BASES - 1)) rmSync(old, { recursive: true });
  const fresh = mkdtempSync(join(BASES, 'new-'));
  writeFileSync(join(fresh, 'package.json'), JSON.stringify(manifest));
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  execFileSync('npm', args, { cwd: fresh, stdio: 'pipe' });
  renameSync(fresh, base);
}

function copyModules(from: string, to: string): void {
  if (process.platform === 'linux' && spawnSync('cp', ['-al', from, to]).status === 0) return;
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

function devDependency(name: string): string {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).devDependencies[name];
}
