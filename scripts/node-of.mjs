// @ts-check
// Other versions of Node, for tests. Each comes as an npm package and is kept in node_modules/.cache.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, withLock } from './with-lock.mjs';

/**
 * The path of a Node of this major, or of exactly this version, which is installed if it is not there.
 * @param {string} version
 * @returns {Promise<string>}
 */
export async function nodeOf(version) {
  const home = join(CACHE, `node-${version}`);
  const path = join(home, 'node_modules/node/bin/node');
  if (!existsSync(path)) await withLock(`node-${version}`, () => existsSync(path) || install(home, version));
  return path;
}

/** @param {string} home @param {string} version */
function install(home, version) {
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(join(CACHE, 'new-node-'));
  try {
    execFileSync('npm', ['install', '--prefix', fresh, '--no-audit', '--no-fund', `node@${version}`], {
      stdio: 'pipe',
    });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
