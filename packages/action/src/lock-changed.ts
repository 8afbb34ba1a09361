import { spawnSync } from 'node:child_process';
import { childEnv } from './child-env.js';
import type { Host } from './host.js';

/** Whether a lock file of a workspace is not as git has it. `false` where git cannot tell. */
export function lockChanged(host: Pick<Host, 'env'>, root: string): boolean {
  const args = ['status', '--porcelain=v1', '--untracked-files=all', '--', ':(glob)**/sluice-lock.json'];
  const { status, stdout } = spawnSync('git', ['-C', root, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: childEnv(host.env, []),
  });
  return status === 0 && stdout.trim() !== '';
}
