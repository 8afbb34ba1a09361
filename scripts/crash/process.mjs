// @ts-check
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../run-tool.mjs';

const { bin } = JSON.parse(readFileSync(join(ROOT, 'packages/cli/package.json'), 'utf8'));
const SLUICE = join(ROOT, 'packages/cli', bin.sluice);
const RUN_STAGE = fileURLToPath(new URL('run-stage.mjs', import.meta.url));

/** How a process ended. @typedef {{ code: number | null, killed: boolean, stdout: string, output: string, ms: number }} Ended */

/** `run p:make`, or a command of `sluice`, as a command line. @param {string} root @param {readonly string[]} words @returns {string[]} */
function commandLine(root, words) {
  const [first = '', ...rest] = words;
  if (first === 'git') return ['git', ...rest];
  return first === 'run' ? [process.execPath, RUN_STAGE, root, ...rest] : [process.execPath, SLUICE, ...words];
}

/**
 * Runs `run p:make`, `git …` or a command of `sluice` in a workspace; with `killAfterMs` it gets a SIGKILL then, and with `killer` whenever what that was
 * given is called.
 * @param {string} root @param {readonly string[]} words @param {number} [killAfterMs] @param {(kill: () => void) => void} [killer]
 * @returns {Promise<Ended>}
 */
export async function execute(root, words, killAfterMs, killer) {
  const [command = '', ...args] = commandLine(root, words);
  const startedMs = performance.now();
  const env = { ...process.env, CI: 'true', NX_SKIP_NX_CACHE: '' };
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  killer?.(() => child.kill('SIGKILL'));
  /** @type {[number | null, NodeJS.Signals | null]} */
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    // Not "close": the command of a killed stage lives on, as it would for a user, and holds the pipes.
    child.on('exit', (...how) => setImmediate(resolve, how));
  });
  clearTimeout(timer);
  return { code, killed: signal === 'SIGKILL', stdout, output, ms: performance.now() - startedMs };
}

/** Runs what has to end well; throws with its output otherwise. @param {string} root @param {readonly string[]} words */
export async function must(root, words) {
  const ended = await execute(root, words);
  if (ended.code === 0) return ended;
  throw new Error(`\`${words.join(' ')}\` in ${root} ended with ${ended.code}:\n${ended.output}`);
}

/** The document of a command of `sluice`. @param {string} root @param {readonly string[]} words */
export async function json(root, words) {
  return JSON.parse((await must(root, [...words, '--json'])).stdout);
}
