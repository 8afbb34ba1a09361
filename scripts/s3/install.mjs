// @ts-check
// Builds the S3 server that tests and benchmarks run against, once per version, into the user's cache: `node scripts/s3/install.mjs`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from '../with-lock.mjs';

const VERSION = 'v1.8.0';
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const LONGEST_BUILD_MS = 30 * 60_000;
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice-test');
const FOLDER = join(CACHE, `versitygw-${VERSION}`);
const PROGRAM = join(FOLDER, 'versitygw');

/**
 * Path of the server's program, which is built if it is not there (about 100 s). Throws one sentence if that cannot be done.
 * @returns {Promise<string>}
 */
export async function installS3Server() {
  if (!existsSync(PROGRAM)) {
    mkdirSync(CACHE, { recursive: true });
    // Whoever comes second waits; a folder appears under its name when it is complete, also if a lock was lost.
    await withLock('versitygw', build, { folder: CACHE, leftBehindMs: LONGEST_BUILD_MS });
  }
  return PROGRAM;
}

function build() {
  if (existsSync(PROGRAM)) return;
  console.error(`setup: building ${PACKAGE} (about 100 s, once)`);
  const fresh = mkdtempSync(join(CACHE, 'new-'));
  const { status, error, stderr } = spawnSync('go', ['install', PACKAGE], {
    env: { ...process.env, GOBIN: fresh },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LONGEST_BUILD_MS,
    encoding: 'utf8',
  });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const why = error === undefined ? stderr.trim().split('\n').at(-1) : error.message;
    throw new Error(
      `tests of S3 need Go, to build ${PACKAGE}, or SLUICE_TEST_S3_ENDPOINT with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (${why})`,
    );
  }
  try {
    renameSync(fresh, FOLDER);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(PROGRAM)) throw error;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Tests that need no S3 run all the same; those that do fail with this sentence.
  if (!process.env.SLUICE_TEST_S3_ENDPOINT) {
    await installS3Server().catch((/** @type {Error} */ error) => console.error(`setup: ${error.message}`));
  }
}
