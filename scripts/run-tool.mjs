// @ts-check
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root directory. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/**
 * Runs a program in the repository's root; those of `node_modules/.bin` come first.
 * Its output is streamed (`show`), or gathered and returned.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ show?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {{ ok: boolean, status: number, stdout: string, output: string }} `output` is stdout, then stderr
 */
export function runTool(command, args, options = {}) {
  const { show = false, cwd = ROOT, env = process.env } = options;
  const result = spawnSync(command, args, {
    cwd,
    env: { ...env, PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${env.PATH ?? ''}` },
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const stdout = result.stdout ?? '';
  const failure = result.error === undefined ? '' : `${command}: ${result.error.message}\n`;
  const status = result.status ?? 1;
  return { ok: status === 0, status, stdout, output: stdout + (result.stderr ?? '') + failure };
}
