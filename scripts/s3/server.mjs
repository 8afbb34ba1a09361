// @ts-check
// A real S3 server for tests and benchmarks.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installS3Server } from './install.mjs';

/**
 * @typedef {object} S3Server
 * @property {string} endpoint
 * @property {Record<string, string>} env what a process needs to use it: keys and region, and nothing of this user's configuration
 * @property {number | undefined} pid of the server's process, where it is one of ours
 * @property {() => Promise<void>} stop
 */

/** The server ends with its input, and that ends with this process, however it ends; its data goes with it. */
const GUARD = '"$0" "$@" & server=$!; echo $server; cat > /dev/null; kill -9 $server; rm -rf "$FOLDER"';
const START_MS = 20_000;

/**
 * Starts a server with empty storage on a free port, or takes the one that `SLUICE_TEST_S3_ENDPOINT` names. Throws one sentence if there is none.
 * @returns {Promise<S3Server>}
 */
export async function startS3Server() {
  const given = process.env.SLUICE_TEST_S3_ENDPOINT;
  if (given) return { endpoint: given, env: environment(givenKeys()), pid: undefined, stop: async () => {} };
  const program = await installS3Server();
  const keys = { AWS_ACCESS_KEY_ID: 'sluice-test', AWS_SECRET_ACCESS_KEY: 'sluice-test-secret' };
  const folder = mkdtempSync(join(tmpdir(), 'sluice-s3-'));
  for (const name of ['data', 'sidecar']) mkdirSync(join(folder, name));
  const port = await freePort();
  const args = ['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet', 'posix'];
  const child = spawn(
    'sh',
    ['-c', GUARD, program, ...args, '--sidecar', join(folder, 'sidecar'), join(folder, 'data')],
    {
      env: {
        PATH: process.env.PATH,
        FOLDER: folder,
        ROOT_ACCESS_KEY: keys.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_KEY: keys.AWS_SECRET_ACCESS_KEY,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  let said = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(0, 100);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-2000);
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.stdin.end();
    await ended;
  };
  const endpoint = `http://127.0.0.1:${port}`;
  if (!(await answers(endpoint))) {
    await stop();
    throw new Error(`the S3 server did not start at ${endpoint}: ${errors}`);
  }
  return { endpoint, env: environment(keys), pid: Number(said.split('\n')[0]), stop };
}

function givenKeys() {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  throw new Error('SLUICE_TEST_S3_ENDPOINT needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY beside it');
}

/** @param {Record<string, string>} keys */
function environment(keys) {
  return {
    ...keys,
    AWS_REGION: process.env.AWS_REGION ?? 'us-east-1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** @param {string} endpoint */
async function answers(endpoint) {
  for (const endMs = performance.now() + START_MS; performance.now() < endMs; await sleep(50)) {
    const answer = await fetch(endpoint).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined) return true;
  }
  return false;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
