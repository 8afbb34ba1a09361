// @ts-check
// Builds programs in Go that tests run, once per version, into the user's cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './with-lock.mjs';

const LONGEST_BUILD_MS = 30 * 60_000;
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice-test');

/**
 * Path of a program, which is built if it is not there. Throws one sentence if that cannot be done.
 * @param {{ name: string, path: string, version: string, takes: string, otherwise: string }} tool `name`: of the program; `path`: of its package, without the version; `takes`: how
 *   long the build takes; `otherwise`: what the message says of whoever has no Go
 * @returns {Promise<string>}
 */
export async function installGoTool({ name, path, version, takes, otherwise }) {
  const folder = join(CACHE, `${name}-${version}`);
  const program = join(folder, name);
  if (!existsSync(program)) {
    mkdirSync(CACHE, { recursive: true });
    const build = () => buildInto(folder, program, `${path}@${version}`, { takes, otherwise });
    // Whoever comes second waits; a folder appears under its name when it is complete, also if a lock was lost.
    await withLock(name, build, { folder: CACHE, leftBehindMs: LONGEST_BUILD_MS });
  }
  return program;
}

/** @param {string} folder @param {string} program @param {string} source @param {{ takes: string, otherwise: string }} texts */
function buildInto(folder, program, source, { takes, otherwise }) {
  if (existsSync(program)) return;
  console.error(`setup: building ${source} (${takes}, once)`);
  const fresh = mkdtempSync(join(CACHE, 'new-'));
  const { status, error, stderr } = spawnSync('go', ['install', source], {
    env: { ...process.env, GOBIN: fresh },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LONGEST_BUILD_MS,
    encoding: 'utf8',
  });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const why = error === undefined ? stderr.trim().split('\n').at(-1) : error.message;
    throw new Error(`Go is needed to build ${source}${otherwise} (${why})`);
  }
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(program)) throw error;
  }
}
