// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What one process took.
 *
 * @typedef {object} Measurement
 * @property {number} seconds from before it was started until it had ended
 * @property {number | undefined} peakBytes its largest resident size, where it was asked for
 * @property {string} stdout empty when it was thrown away
 */

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [peak] measure the peak size
 * @property {boolean} [discard] throw standard output away
 */

/** Node programs report their own peak where there is no GNU time. */
const RSS_HOOK = new URL('./rss.mjs', import.meta.url).href;
const GNU_TIME = '/usr/bin/time';
const hasGnuTime = spawnSync(GNU_TIME, ['-f', '%M', 'true']).status === 0;

/** Settings of whoever runs the bench must not reach what is measured. */
const CLEAN_ENV = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(SLUICE_|DVC_|NODE_OPTIONS$)/.test(name)),
);

/** Processes under way, so that an interrupted bench leaves none behind. @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends the processes that are being measured. */
export function stopRunning() {
  for (const child of running) child.kill('SIGTERM');
}

/** Waits until dirty pages of earlier steps are on the disk, so that their writing does not count. */
export async function settle() {
  await run('sync', []);
}

/**
 * Runs a program to its end. Throws with the end of its output if it does not end with 0.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Measurement>}
 */
export async function run(command, args, { cwd = tmpdir(), env = {}, peak = false, discard = false } = {}) {
  const report = peak ? peakReport() : undefined;
  const started = report?.wrap(command, args) ?? { command, args, env: {} };
  /** @type {Buffer[]} */
  const stdout = [];
  /** @type {Buffer[]} */
  const stderr = [];
  const startedMs = performance.now();
  const child = spawn(started.command, started.args, {
    cwd,
    env: { ...CLEAN_ENV, ...started.env, ...env },
    stdio: ['ignore', discard ? 'ignore' : 'pipe', 'pipe'],
  });
  running.add(child);
  child.stdout?.on('data', (chunk) => stdout.push(chunk));
  child.stderr?.on('data', (chunk) => stderr.push(chunk));
  try {
    const { code, seconds } = await ended(child, startedMs);
    const output = Buffer.concat(stdout).toString();
    if (code !== 0) {
      const said = `${Buffer.concat(stderr)}${output}`.trim().slice(-2000);
      throw new Error(`\`${[command, ...args].join(' ')}\` ended with ${code}${said === '' ? '' : `:\n${said}`}`);
    }
    return { seconds, peakBytes: report?.read(), stdout: output };
  } finally {
    running.delete(child);
    report?.remove();
  }
}

/**
 * The time is taken when the process has ended; its output may be read a little later.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} startedMs
 * @returns {Promise<{ code: number | string, seconds: number }>}
 */
function ended(child, startedMs) {
  return new Promise((resolve, reject) => {
    let seconds = 0;
    child.on('error', reject);
    child.on('exit', () => {
      seconds = (performance.now() - startedMs) / 1000;
    });
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'nothing', seconds }));
  });
}

/** A file into which the started program's peak is written, by GNU time or by a hook in the program. */
function peakReport() {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-peak-'));
  const file = join(directory, 'kib');
  return {
    /** @param {string} command @param {readonly string[]} args */
    wrap: (command, args) =>
      hasGnuTime
        ? { command: GNU_TIME, args: ['-f', '%M', '-o', file, command, ...args], env: {} }
        : { command, args: ['--import', RSS_HOOK, ...args], env: { BENCH_PEAK_FILE: file } },
    read: () => Number(readFileSync(file, 'utf8').trim()) * 1024,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The sum of two processes that run one after the other. @param {Measurement} first @param {Measurement} second @returns {Measurement} */
export function together(first, second) {
  return { seconds: first.seconds + second.seconds, peakBytes: undefined, stdout: '' };
}

/** Absolute path of a file of the repository. @param {string} path */
export function inRepository(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
